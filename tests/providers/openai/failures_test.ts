import assert from "../../deps/assert.ts";
import { basename, join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { DIALECTS } from "../../../src/spec/dialects/registry.ts";
import { Service } from "../../../src/providers/openai/service.ts";
import type { Progress } from "../../../src/providers/provider.ts";
import { FaultProxy } from "./fault_proxy.ts";
import { filesWith, hostedProject, KEY } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

const envelope = (code: string, message: string) => ({
  error: { message, type: "invalid_request_error", param: null, code },
});
const CREATE = /^POST \/fine_tuning\/jobs$/;

/** Refusals of the call that creates the job, after the upload. */
const REFUSALS: readonly (readonly [name: string, status: number, body: unknown, says: RegExp])[] = [
  [
    "403 training_not_available",
    403,
    envelope("training_not_available", "OpenAI is winding down the fine-tuning platform"),
    /403 \(training_not_available\) OpenAI is winding down.*\n.*uploaded file stays.*nebius/s,
  ],
  [
    "429 daily_rate_limit_exceeded",
    429,
    envelope("daily_rate_limit_exceeded", "maximum of 8 fine-tuning requests per day"),
    /maximum of 8 fine-tuning requests per day.*again tomorrow/s,
  ],
  [
    "422 of FastAPI",
    422,
    { detail: [{ loc: ["body", "suffix"], msg: "too long" }] },
    /422 body\.suffix: too long/,
  ],
  [
    "401 that quotes the key",
    401,
    envelope("invalid_api_key", `Incorrect API key provided: ${KEY}`),
    /Incorrect API key provided: \[key\].*provider\.api_key_env/s,
  ],
];

for (const [name, status, body, says] of REFUSALS) {
  Deno.test(`a job refused with ${name} is told in the service's words, once, and the file is used again`, async () => {
    await using service = new MockService();
    await using proxy = new FaultProxy(service.url, [{ on: CREATE, does: { status, body } }]);
    await using project = await hostedProject();
    const refused = await project.run(proxy.url);
    assert.equal(refused.code, 1);
    assert.match(refused.err, says);
    assert.equal(service.jobs.length, 0);
    assert.equal((await project.run(proxy.url)).code, 0);
    assert.equal(service.count("POST", /^\/files$/), 2);
    assert.deepEqual(await filesWith(project.dir, KEY), []);
    assert.ok(!project.printed.join("").includes(KEY));
  });
}

/** How jobs fail after they were created. */
const ENDS = [
  [
    "invalid_n_examples",
    "Training file has 3 example(s), but must have at least 10 examples",
    /10 or more are needed/,
  ],
  [
    "invalid_file_format",
    'Example 2 contains an extra "weight".',
    /row 2 is .*train\.jsonl:2\s.*Fix the rows/s,
  ],
  ["unsafe_file", "blocked because too many examples were flagged", /moderation refused too many rows/],
  ["exceeded_quota", "You exceeded your current quota", /Add credit/],
  [
    "other",
    "Error while running moderation eval refusals_v3 for snapshot ft:x",
    /safety evaluation blocked the model/,
  ],
  ["new_code", "Something nobody has seen", /\(new_code, training_file\): Something nobody has seen/],
] as const;

for (const [code, message, says] of ENDS) {
  Deno.test(`a job that fails with ${code} says why and what to do`, async () => {
    await using service = new MockService({ outcome: { code, message, param: "training_file" } });
    await using project = await hostedProject();
    const { code: exit, err } = await project.run(service.url);
    assert.equal(exit, 1);
    assert.ok(err.replace(/\s+/g, " ").includes(message), err);
    assert.match(err, says);
    assert.match((await project.call("show", "last")).out, /Read its log +deno task logs \S+\n/);
  });
}

Deno.test("lost answers, inner errors and busy services on the way end in one job", async () => {
  await using service = new MockService();
  const busy = {
    status: 429,
    body: envelope("rate_limit_exceeded", "slow down"),
    headers: { "retry-after": "0.1" },
  };
  const inner = { status: 500, body: envelope("server_error", "oops") };
  await using proxy = new FaultProxy(service.url, [
    { on: /^POST \/files$/, does: "lost" },
    { on: /^GET \/files$/, does: busy },
    { on: CREATE, does: busy },
    { on: CREATE, does: "lost" },
    { on: /^GET \/fine_tuning\/jobs$/, does: inner },
    { on: /^GET .*events$/, does: "cut" },
    { on: /^GET .*\/ftjob-\d+$/, does: inner, times: 2 },
  ]);
  await using project = await hostedProject();
  const { code, err } = await project.run(proxy.url);
  assert.equal(code, 0, err);
  assert.equal(service.jobs.length, 1);
  assert.equal(service.count("POST", /^\/files$/), 2);
  assert.match(err, /500 .*oops.*retrying in/s);
});

Deno.test("answers that come in small pieces are waited for", async () => {
  await using service = new MockService();
  await using proxy = new FaultProxy(service.url, [{ on: /./, does: "slow", times: Infinity }]);
  await using project = await hostedProject();
  const { code, err } = await project.run(proxy.url);
  assert.equal(code, 0, err);
  assert.doesNotMatch(err, /retrying in/);
  assert.equal(service.jobs.length, 1);
});

Deno.test("an answer that stops half-way is given up and asked for again", async () => {
  await using service = new MockService();
  await using proxy = new FaultProxy(service.url, [{ on: /^GET \/files$/, does: "stuck", times: 2 }]);
  const endpoint = { dialect: DIALECTS.openai, baseUrl: proxy.url, keyEnv: "OPENAI_API_KEY" };
  const env = { fs: denoFs, clock: systemClock, cacheDir: "/nowhere", env: { OPENAI_API_KEY: KEY } };
  const { signal } = new AbortController();
  const said: (string | undefined)[] = [];
  const progress = ({ message }: Progress) => said.push(message);
  const asked = await Service.open(endpoint, { env, signal, progress, phase: "p" });
  const { data } = await asked.read(
    "list the files",
    ({ signal }) => asked.client.files.list({}, { signal, timeout: 200 }),
  );
  assert.deepEqual(data, []);
  assert.match(said.join("\n"), /timed out.*\(1 of 4\)\n.*timed out.*\(2 of 4\)/);
});

Deno.test("a job whose creation was lost and is not listed is not created twice in the dark", async () => {
  await using service = new MockService();
  await using proxy = new FaultProxy(service.url, [{
    on: CREATE,
    does: { status: 500, body: envelope("server_error", "oops") },
  }]);
  await using project = await hostedProject();
  const { code, err } = await project.run(proxy.url);
  assert.equal(code, 1);
  assert.match(err, /Cannot tell whether the job was started: .*oops/s);
  assert.equal(service.jobs.length, 0);
  assert.equal((await project.run(proxy.url)).code, 0);
  assert.equal(service.jobs.length, 1);
});

Deno.test("without a key nothing is asked of the service", async () => {
  await using service = new MockService();
  await using project = await hostedProject({ provider: "  api_key_env: NO_SUCH_KEY\n" });
  const { code, err } = await project.run(service.url);
  assert.equal(code, 1);
  assert.match(err, /NO_SUCH_KEY is not set/);
  assert.equal(service.calls.length, 0);
});

Deno.test("a failed job's events are one command away, by the run's id and as temper was called", async () => {
  await using service = new MockService({ outcome: { code: "odd", message: "something else" } });
  await using project = await hostedProject();
  const failed = await project.run(service.url);
  const hint = `Its events may show more: deno task logs ${basename(await project.lastRun())}`;
  const said = [
    failed.err,
    (await project.call("show", "last")).out,
    (await project.call("logs", "last")).out,
  ];
  for (const text of said) {
    assert.ok(text.includes(hint), text);
    assert.ok(!text.includes("`temper"), text);
  }
  await project.write(
    "many.yaml",
    `${await Deno.readTextFile(join(project.dir, "hosted.yaml"))}matrix: {train.epochs: [1, 2]}\n`,
  );
  const compared = await project.call("compare", "many.yaml", "--set", `provider.base_url=${service.url}`);
  assert.equal(compared.out.match(/Its events may show more: deno task logs \d/g)?.length, 2, compared.out);
  assert.ok(!(compared.out + compared.err).includes("`temper"), compared.err);
  // The page is read anywhere: it says the command as of an installed temper.
  const page = await Deno.readTextFile(join(project.dir, "runs", "hosted", "compare.html"));
  assert.match(page, /Its events may show more: temper logs \d/);
});
