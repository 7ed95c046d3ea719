import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { show } from "../../src/commands/show.ts";
import { EXIT, TemperError, UsageError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { BEGINNING, DONE, FAILED, RUN_ID, training } from "../ui/recorded.ts";
import { type Project, project } from "./run_kit.ts";

const PREDICTIONS = `runs/${RUN_ID}/job/artifacts/predictions.jsonl`;

function prediction(prompt: string, before: boolean, after: boolean): string {
  return JSON.stringify({
    row: 0,
    origin: "home.eval.jsonl:1",
    prompt,
    expected: "do: on",
    before: "I am\nsorry \x1b[2J",
    few_shot: null,
    after: after ? "do: on" : "",
    before_ok: before,
    few_shot_ok: null,
    after_ok: after,
  }) + "\n";
}

async function finished(): Promise<Project> {
  const home = await project();
  await home.addRun(RUN_ID, DONE);
  const fixed = ["a", "b", "c", "d"].map((prompt) => prediction(prompt, false, true)).join("");
  await home.write(PREDICTIONS, fixed + prediction("e", false, false) + prediction("f", true, true));
  return home;
}

Deno.test("show prints outcome, steps, scores, changed rows, artifacts and the next commands", async () => {
  await using home = await finished();
  const { code, out } = await home.call(show, ["last"]);
  assert.equal(code, EXIT.ok);
  assert.equal(
    out,
    `✓ home-lora done in 1 min
  ${RUN_ID}  lora with provider ollama

  ✓ extract     cached  11111111  410 rows  from 20261121-120000-home-lora-aaaa
  ✓ format        1.0s  22222222  columns · 350 train · 60 eval
  ✓ configure     1.0s  33333333  13,950 tokens · chatml
  ✓ submit        2.0s  44444444
  ✓ monitor        48s  55555555
    bf16 is slow on this CPU

exact_match  on 60 held-out rows
  before                  0%
  few-shot prompting     25%  █████
  after                93.3%  ██████████████████▋
  held-out loss       4.10 → 0.0987  training █▄▂▂▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
  perplexity          60.3 → 1.10
  rows                56 fixed, 4 still wrong, 0 newly broken

Fixed  3 of 56
  a
    before    I am↵sorry ␛[2J
    after     do: on
  b
    before    I am↵sorry ␛[2J
    after     do: on
  c
    before    I am↵sorry ␛[2J
    after     do: on

Still wrong  1 of 4
  e
    before    I am↵sorry ␛[2J
    after     (nothing)
    expected  do: on

Artifacts
  adapter      9.8 MB  runs/${RUN_ID}/job/artifacts/adapter
  gguf         145 MB  runs/${RUN_ID}/job/artifacts/model.gguf
  modelfile    1.9 kB  runs/${RUN_ID}/job/artifacts/Modelfile
  predictions    9 kB  runs/${RUN_ID}/job/artifacts/predictions.jsonl

Serve it    deno task register ${RUN_ID}
Talk to it  ollama run home-lora
`,
  );
});

Deno.test("show --predictions says how many rows of each kind", async () => {
  await using home = await finished();
  const rows = (out: string) => out.match(/^ {2}[a-f]$/gm)?.map((line) => line.trim()).join("") ?? "";
  assert.equal(rows((await home.call(show, ["last", "--predictions", "1"])).out), "ae");
  assert.equal(rows((await home.call(show, ["last", "--predictions", "9"])).out), "abcde");
  assert.equal(rows((await home.call(show, ["last", "--predictions", "0"])).out), "");
  await assert.rejects(home.call(show, ["last", "--predictions", "-1"]), UsageError);
});

Deno.test("show says so when the predictions cannot be read", async () => {
  await using home = await finished();
  await home.write(PREDICTIONS, prediction("a", false, true) + '{"origin": 1}\n');
  await assert.rejects(home.call(show, ["last"]), (error) => {
    assert.ok(error instanceof TemperError);
    assert.match(error.message, /^Cannot read predictions at ".*predictions\.jsonl:2": origin: /);
    return true;
  });
});

Deno.test("show --json has the members that scripts rely on", async () => {
  await using home = await finished();
  const { out } = await home.call(show, ["last", "--json"]);
  const shown = JSON.parse(out);
  assert.equal(shown.id, RUN_ID);
  assert.equal(shown.name, "home-lora");
  assert.equal(shown.state, "done");
  assert.equal(shown.method, "lora");
  assert.equal(shown.provider, "ollama");
  const { kind, state, key, cached } = shown.steps[0];
  assert.deepEqual({ kind, state, key, cached }, {
    kind: "extract",
    state: "done",
    key: "1".repeat(64),
    cached: true,
  });
  assert.deepEqual(shown.steps.map((step: { cached: boolean }) => step.cached), [
    true,
    false,
    false,
    false,
    false,
  ]);
  assert.equal(shown.metrics.metric, "exact_match");
  assert.deepEqual(shown.metrics.loss, { before: 4.1, after: 0.0987 });
  assert.equal(shown.metrics.served, null);
  assert.deepEqual(Object.keys(shown.artifacts[0]).sort(), ["bytes", "kind", "path", "sha256"]);
});

Deno.test("show of a failed run says why, and what to do", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, FAILED);
  const { code, out } = await home.call(show, [RUN_ID]);
  assert.equal(code, EXIT.ok);
  assert.match(out, /^✗ home-lora failed in monitor after 27 s\n/);
  assert.ok(out.includes("\n  Cannot train: the loss is not a number\n  Lower train.learning_rate\n"));
  assert.ok(out.includes(`\nRead its log  deno task logs ${RUN_ID} --trainer\n`));
  assert.ok(out.endsWith("\nRun it again  deno task run pipelines/lora.yaml\n"));
});

Deno.test("show tells a run that nobody drives from one that runs", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, [...BEGINNING, ...training(9)]);
  const left = await home.call(show, [RUN_ID]);
  assert.match(left.out, /^‖ home-lora interrupted in monitor after 22 s: nothing is lost\n/);
  assert.match(left.out, / {2}‖ monitor .* train 9\/44 steps, smoothed loss 0\.444, 77\.0 tokens\/s\n/);
  assert.ok(left.out.endsWith(`Resume it  deno task run pipelines/lora.yaml
Cancel it  deno task cancel ${RUN_ID}
`));
  const lock = await denoFs.lock(join(dir, "lock"));
  try {
    const { out } = await home.call(show, [RUN_ID]);
    assert.match(out, /^▸ home-lora running in monitor since /);
    assert.ok(out.includes(`Follow it  deno task logs ${RUN_ID} -f\n`));
    assert.equal(JSON.parse((await home.call(show, [RUN_ID, "--json"])).out).state, "running");
  } finally {
    lock?.release();
  }
  assert.equal(JSON.parse((await home.call(show, [RUN_ID, "--json"])).out).state, "interrupted");
});

Deno.test("show names another runs folder in the commands it suggests", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, FAILED);
  await Deno.rename(join(home.dir, "runs"), join(home.dir, "my runs"));
  const { out } = await home.call(show, ["last", "--runs", "my runs"]);
  assert.ok(out.includes(`deno task logs ${RUN_ID} --trainer --runs 'my runs'\n`), out);
});
