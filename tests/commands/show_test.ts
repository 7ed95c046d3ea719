import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { show } from "../../src/commands/show.ts";
import { EXIT, TemperError, UsageError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { BEGINNING, DONE, FAILED, ManualClock, RUN_ID, training } from "../ui/recorded.ts";
import { finished, prediction, PREDICTIONS } from "./finished_run.ts";
import { project } from "./run_kit.ts";

Deno.test("show prints outcome, steps, scores, changed rows, artifacts and the next commands", async () => {
  await using home = await project();
  await finished(home);
  const { code, out } = await home.call(show, ["last"]);
  assert.equal(code, EXIT.ok);
  const places = [
    "✓ home-lora",
    "extract",
    "exact_match",
    "Fixed  3 of 56",
    "Still wrong  1 of 4",
    "Artifacts",
  ];
  const at = [...places, "deno task register"].map((part) => out.indexOf(part));
  assert.ok(!at.includes(-1), out);
  assert.deepEqual(at, at.toSorted((a, b) => a - b));
  // Nothing serves it yet.
  assert.doesNotMatch(out, /Talk to it|ollama run/);
});

Deno.test("show --predictions says how many rows of each kind", async () => {
  await using home = await project();
  await finished(home);
  const rows = (out: string) => out.match(/^ {2}[a-f]$/gm)?.map((line) => line.trim()).join("") ?? "";
  assert.equal(rows((await home.call(show, ["last", "--predictions", "1"])).out), "ae");
  assert.equal(rows((await home.call(show, ["last", "--predictions", "9"])).out), "abcde");
  assert.equal(rows((await home.call(show, ["last", "--predictions", "0"])).out), "");
  await assert.rejects(home.call(show, ["last", "--predictions", "-1"]), UsageError);
});

Deno.test("show says so when the predictions cannot be read", async () => {
  await using home = await project();
  await finished(home);
  await home.write(PREDICTIONS, prediction("a", false, true) + '{"origin": 1}\n');
  await assert.rejects(home.call(show, ["last"]), (error) => {
    assert.ok(error instanceof TemperError);
    assert.match(error.message, /".*predictions\.jsonl:2": origin: /);
    return true;
  });
});

Deno.test("show --json has the members that scripts rely on", async () => {
  await using home = await project();
  await finished(home);
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
  assert.match(out, /^✗ home-lora failed .*monitor.* 27 s\n/);
  // Nothing was scored, although losses were seen.
  assert.doesNotMatch(out, /undefined|held-out/);
  assert.ok(out.includes("\n  Cannot train: the loss is not a number\n  Lower train.learning_rate\n"));
  assert.ok(out.includes(`  deno task logs ${RUN_ID} --trainer\n`));
  assert.ok(out.endsWith("  deno task run pipelines/lora.yaml\n"));
});

Deno.test("show tells a run that nobody drives from one that runs", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, [...BEGINNING, ...training(9)]);
  const left = await home.call(show, [RUN_ID]);
  assert.match(left.out, /^‖ home-lora interrupted .*monitor.* 22 s/);
  assert.match(left.out, / {2}‖ monitor .* 9\/44 .*\b0\.444\b.*\b77\.0\b/);
  const commands = [...left.out.matchAll(/ {2}(deno task .*)\n/g)].map(([, command]) => command);
  assert.deepEqual(commands, [`deno task resume ${RUN_ID}`, `deno task cancel ${RUN_ID}`]);
  const lock = await denoFs.lock(join(dir, "lock"));
  try {
    const { out } = await home.call(show, [RUN_ID], { clock: new ManualClock() });
    assert.match(out, /^▸ home-lora running .*monitor/);
    assert.ok(out.includes(`  deno task logs ${RUN_ID} -f\n`));
    assert.equal(JSON.parse((await home.call(show, [RUN_ID, "--json"])).out).state, "running");
  } finally {
    lock?.release();
  }
  assert.equal(JSON.parse((await home.call(show, [RUN_ID, "--json"])).out).state, "interrupted");
});

Deno.test("show resumes a run by its id, which keeps its values, unless a secret in them is not kept", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, BEGINNING);
  const plan = JSON.parse(
    await Deno.readTextFile(
      join(import.meta.dirname!, "..", "fixtures", "runs", "v1", "interrupted", "plan.json"),
    ),
  );
  const next = async (variant: object) => {
    await home.write(`runs/${RUN_ID}/plan.json`, JSON.stringify({ ...plan, ...variant }));
    return (await home.call(show, [RUN_ID])).out.match(/Resume it {2}(.*)/)?.[1];
  };
  const given = { cell: "rank-8", set: ["train.epochs=2"] };
  for (const variant of [{}, given]) assert.equal(await next(variant), `deno task resume ${RUN_ID}`);
  assert.equal(
    await next({ ...given, setMasked: true }),
    "repeat the command that started it: a secret in its --set values is not kept",
  );
});

Deno.test("show runs a failed run again with its combination and overrides", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, FAILED);
  const fixture = join(import.meta.dirname!, "..", "fixtures", "runs", "v1", "failed", "plan.json");
  const plan = JSON.parse(await Deno.readTextFile(fixture));
  const given = { cell: "rank-8", set: ["train.epochs=2", 'dataset.source=["a b.jsonl"]'] };
  await home.write(`runs/${RUN_ID}/plan.json`, JSON.stringify({ ...plan, ...given }));
  const { out } = await home.call(show, [RUN_ID]);
  assert.equal(
    out.match(/Run it again {2}(.*)/)?.[1],
    `deno task run pipelines/lora.yaml --cell rank-8 --set train.epochs=2 --set 'dataset.source=["a b.jsonl"]'`,
  );
});

Deno.test("show lists what was chosen by where it comes from, and every setting with its reason when asked", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, BEGINNING);
  const spec = { method: { kind: "lora", rank: 8 }, train: { seed: 9, schedule: "cosine" } };
  const reason = "cosine and linear fall to zero";
  const settings = [
    { field: "method.kind", value: "lora", from: "file" },
    { field: "method.rank", value: 8, from: "matrix" },
    { field: "train.learning_rate", value: 0.002, from: "base", reason: "default for lora" },
    { field: "train.seed", value: 9, from: "set" },
    { field: "train.schedule", value: "cosine", from: "default", reason },
  ];
  const plan = { version: 1, name: "home-lora", created: "", hash: "", steps: [step("extract")], spec };
  const shown = async (plan: object, ...words: string[]) => {
    await home.write(`runs/${RUN_ID}/plan.json`, JSON.stringify(plan));
    const { out } = await home.call(show, [RUN_ID, ...words]);
    const lines = out.split("\n");
    const at = lines.findIndex((line) => line.startsWith("Settings"));
    return words.includes("--json") ? JSON.parse(out).settings : lines.slice(at, lines.indexOf("", at));
  };
  assert.deepEqual(await shown({ ...plan, settings }), [
    "Settings",
    "  --set   train.seed=9",
    "  matrix  method.rank=8",
    "  base    train.learning_rate=0.002",
    "  1 setting from the file, 1 setting with its default: --settings shows all of them",
  ]);
  assert.deepEqual(await shown({ ...plan, settings }, "--settings"), [
    "Settings                       from     why",
    "  train.seed           9       --set",
    "  method.rank          8       matrix",
    "  method.kind          lora    file",
    "  train.learning_rate  0.002   base     default for lora",
    `  train.schedule       cosine  default  ${reason}`,
  ]);
  assert.deepEqual((await shown({ ...plan, settings }, "--json"))[3], {
    field: "train.seed",
    value: 9,
    from: "set",
    reason: null,
  });
  assert.deepEqual(await shown(plan), [
    "Settings",
    "  4 settings of a run that does not say where they come from: --settings shows all of them",
  ]);
  assert.deepEqual((await shown(plan, "--json"))[0], {
    field: "method.kind",
    value: "lora",
    from: null,
    reason: null,
  });
});

const step = (kind: string) => ({ kind, cached: true, key: "1".repeat(64), parts: {} });

Deno.test("show names another runs folder in the commands it suggests", async () => {
  await using home = await project();
  await home.addRun(RUN_ID, FAILED);
  await Deno.rename(join(home.dir, "runs"), join(home.dir, "my runs"));
  const { out } = await home.call(show, ["last", "--runs", "my runs"]);
  assert.ok(out.includes(`deno task logs ${RUN_ID} --trainer --runs 'my runs'\n`), out);
});

Deno.test("show of a name says which of its runs it is", async () => {
  await using home = await project();
  const older = "20261120-080000-home-lora-10b2";
  await home.addRun(RUN_ID, DONE);
  await home.addRun(older, DONE);
  const { out, err } = await home.call(show, ["home-lora", "--json"]);
  assert.equal(JSON.parse(out).id, RUN_ID);
  assert.equal(err, `Run ${RUN_ID}: the latest of the 2 runs of "home-lora"\n`);
  assert.equal((await home.call(show, [older, "--json"])).err, "");
});

Deno.test("show of a run by its path suggests commands that find it", async () => {
  await using home = await project();
  const dir = await home.addRun(RUN_ID, DONE);
  await Deno.mkdir(join(home.dir, "elsewhere"));
  await Deno.rename(join(home.dir, "runs"), join(home.dir, "elsewhere", "runs"));
  const { out } = await home.call(show, [`elsewhere/runs/${RUN_ID}/`]);
  assert.match(out, new RegExp(`register ${RUN_ID} --runs elsewhere/runs\n`));
  await assert.rejects(home.call(show, [dir]), { code: "unknown-run" });
});
