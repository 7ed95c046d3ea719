import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { filesWith, hostedProject, KEY, pairs } from "./hosted_project.ts";
import { type Message, type MockOptions, MockService } from "./mock_service.ts";
import { until } from "../../until.ts";
import { HERMETIC, runNames } from "../../hermetic.ts";

/** The tuned model knows the answer, the base does not. */
const answer = (model: string, messages: readonly Message[]) =>
  model.startsWith("ft:") ? messages.at(-1)!.content.slice(4) : "?";

async function show(project: Awaited<ReturnType<typeof hostedProject>>) {
  return JSON.parse((await project.call("show", "last", "--json")).out);
}

const BODIES = {
  openai: {
    suffix: "hosted-lora",
    model: "gpt-4.1-mini-2025-04-14",
    seed: 1,
    method: {
      type: "supervised",
      supervised: { hyperparameters: { n_epochs: 5, learning_rate_multiplier: 0.5 } },
    },
  },
  azure: {
    suffix: "hosted-lora",
    model: "gpt-4.1-mini-2025-04-14",
    seed: 1,
    method: {
      type: "supervised",
      supervised: { hyperparameters: { n_epochs: 5, learning_rate_multiplier: 0.5 } },
    },
    trainingType: "Standard",
  },
  nebius: {
    suffix: "hosted-lora",
    model: "gpt-4.1-mini-2025-04-14",
    hyperparameters: {
      n_epochs: 5,
      warmup_ratio: 0.1,
      weight_decay: 0,
      max_grad_norm: 1,
      lora: true,
      lora_r: 8,
      lora_alpha: 16,
      lora_dropout: 0.1,
    },
  },
} as const;

const MESSY: MockOptions = {
  base64: true,
  messyEvents: true,
  stages: ["validating_files", "pondering", "running"],
};

for (const dialect of ["openai", "nebius", "azure"] as const) {
  Deno.test(`openaiProvider() ${dialect}: from YAML to result.json, and the second call creates nothing`, async () => {
    await using service = new MockService({ dialect, answer, ...MESSY });
    await using project = await hostedProject({ dialect, more: "evaluate: {before: true}\n" });
    const first = await project.run(service.url);
    assert.equal(first.code, 0, first.err);
    const { metrics, state } = await show(project);
    assert.equal(state, "done");
    assert.match(metrics.fine_tuned_model, /^ft:gpt-4\.1-mini-2025-04-14:org:hosted-lora:/);
    assert.deepEqual([metrics.before, metrics.after], dialect === "azure" ? [null, null] : [0, 1]);
    assert.equal(metrics.loss.after, dialect === "azure" ? null : 0.7);
    assert.equal(metrics.checkpoints.length, 1);
    assert.equal(typeof metrics.deploy, dialect === "azure" ? "string" : "undefined");
    const calls = service.calls.length;
    assert.equal((await project.run(service.url)).code, 0);
    assert.equal(service.calls.length, calls, "the second call asks nothing");
    const { training_file, validation_file, metadata, ...body } = service.calls.find(({ method, path }) =>
      method === "POST" && path === "/fine_tuning/jobs"
    )!.body as Record<
      string,
      unknown
    >;
    assert.deepEqual(body, BODIES[dialect]);
    assert.ok(training_file && validation_file);
    assert.equal(metadata !== undefined, dialect === "openai");
    const result = JSON.parse(
      await Deno.readTextFile(join(await project.lastRun(), "steps", "5-monitor", "result.json")),
    );
    assert.deepEqual(result.metrics, metrics);
    const shown = (await project.call("show", "last")).out;
    assert.ok(shown.includes(`\n  ${metrics.fine_tuned_model}\n  12,345 tokens trained`), shown);
    assert.deepEqual(await filesWith(project.dir, KEY), []);
    assert.ok(!project.printed.join("").includes(KEY));
    const log = await Deno.readTextFile(join(await project.lastRun(), "events.jsonl"));
    const told = log.match(/"event":"[^"]+"/g)!;
    assert.equal(new Set(told).size, told.length, "an event was told twice");
    assert.equal(told.length, 6);
    assert.match(log, /pondering/);
  });
}

Deno.test("openaiProvider() --fresh takes the job of the same key, --create-anyway starts another", async () => {
  await using service = new MockService();
  await using project = await hostedProject();
  assert.equal((await project.run(service.url)).code, 0);
  assert.equal((await project.run(service.url, "--fresh")).code, 0);
  assert.equal(service.jobs.length, 1);
  assert.match(project.printed.join(""), /Adopted job ftjob-\d+, which exists already \(succeeded\)/);
  assert.equal((await project.run(service.url, "--fresh", "--create-anyway")).code, 0);
  assert.equal(service.jobs.length, 2);
  assert.equal(service.count("POST", /^\/files$/), 2);
});

Deno.test("openaiProvider() nebius asks when a job looks like this one, and does what it is told", async () => {
  await using service = new MockService({ dialect: "nebius" });
  await using project = await hostedProject({ dialect: "nebius" });
  assert.equal((await project.run(service.url)).code, 0);
  const doubt = await project.run(service.url, "--fresh");
  assert.equal(doubt.code, 1);
  const id = String(service.jobs[0]!["id"]);
  assert.match(
    doubt.err,
    new RegExp(`stores no metadata, and there is a job with the same suffix and training file\\s+${id}`),
  );
  assert.match(doubt.err, /--adopt ID .* --create-anyway/);
  assert.equal((await project.run(service.url, "--fresh", "--adopt", id)).code, 0);
  assert.equal(service.jobs.length, 1);
  assert.equal((await project.run(service.url, "--fresh", "--create-anyway")).code, 0);
  assert.equal(service.jobs.length, 2);
  assert.equal((await project.run(service.url, "--fresh", "--adopt", "ftjob-none")).code, 2);
});

Deno.test("openaiProvider() stops above the budget before anything is uploaded", async () => {
  await using service = new MockService();
  await using project = await hostedProject({ provider: "  budget_usd: 0.00001\n" });
  const { code, err } = await project.run(service.url);
  assert.equal(code, 1);
  assert.match(err, /the estimate is \$0\.\d+.*provider\.budget_usd is \$0\.00001/);
  assert.equal(service.count("POST", /./), 0);
});

Deno.test("openaiProvider() trains on preference pairs with dpo", async () => {
  await using service = new MockService({ answer });
  await using project = await hostedProject({ train: pairs(12), held: pairs(14) });
  const { code, err } = await project.run(service.url);
  assert.equal(code, 0, err);
  const { method } = service.calls.find((call) => call.method === "POST" && call.path.endsWith("/jobs"))!
    .body as {
      method: unknown;
    };
  assert.deepEqual(method, {
    type: "dpo",
    dpo: { hyperparameters: { n_epochs: 8, learning_rate_multiplier: 0.5 } },
  });
  const [file] = [...service.files.values()];
  assert.deepEqual(JSON.parse(file!.content.split("\n")[0]!), {
    input: { messages: [{ role: "user", content: "say 0 of 12" }], tools: [], parallel_tool_calls: true },
    preferred_output: [{ role: "assistant", content: "0" }],
    non_preferred_output: [{ role: "assistant", content: "no" }],
  });
});

Deno.test("cancel stops the hosted job of an interrupted run", async () => {
  await using service = new MockService({ stages: Array.from({ length: 2000 }, () => "running") });
  await using project = await hostedProject();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("../../../cli.ts", import.meta.url).pathname, ...project.args(service.url)],
    cwd: project.dir,
    env: { OPENAI_API_KEY: KEY, ...HERMETIC },
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until("the job to be followed", () => service.count("GET", /events/) >= 2);
  child.kill("SIGKILL");
  await child.status;
  const { code, err } = await project.call("cancel", "last");
  assert.equal(code, 0, err);
  assert.equal(service.jobs[0]!["status"], "cancelled");
  assert.equal((await runNames(join(project.dir, "runs"))).length, 1);
});
