import assert from "../deps/assert.ts";
import fc from "fast-check";
import { parseYaml } from "../../src/spec/yaml/yaml.ts";
import { join } from "../../src/deps/path.ts";
import type { JsonObject } from "../../src/lib/json/json.ts";
import {
  check,
  definePipeline,
  explain,
  plan,
  planAll,
  run,
  SpecError,
  type StepExtension,
} from "../../mod.ts";
import { temper } from "../commands/cli_kit.ts";
import { cluster, finishJobs, folder } from "./kit.ts";

const YAML = `# A comment is no part of it
version: 1
name: words
dataset: {source: rows.jsonl, split: {eval: 1}}
method: {kind: lora, rank: 16}
train: {learning_rate: 2e-3}
provider: {kind: local, base: builtin:smollm2-135m-instruct}
`;

function words(dir: string, change: object = {}) {
  return definePipeline({
    version: 1,
    name: "words",
    dataset: { source: "rows.jsonl", split: { eval: 1 }, ...change },
    method: { kind: "lora", rank: 16 },
    train: { learning_rate: 0.002 },
    provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
  }, { dir });
}

Deno.test("definePipeline() is the file that says the same: the same spec, the same keys", async () => {
  await using home = await folder();
  const { dir } = home;
  await Deno.writeTextFile(join(dir, "words.yaml"), YAML);
  const [file, defined] = [await check("words.yaml", { cwd: dir }), await check(words(dir))];
  assert.ok(file.ok && defined.ok);
  assert.deepEqual(defined.cells[0]!.spec, file.cells[0]!.spec);
  const keys = async (pipeline: Parameters<typeof plan>[0]) =>
    (await plan(pipeline, { cwd: dir, env: {} })).steps.map(({ kind, key }) => [kind, key]);
  assert.deepEqual(await keys(words(dir)), await keys("words.yaml"));
});

Deno.test("definePipeline() takes texts that YAML would read as something else, and the current folder", async () => {
  const { dir, text } = definePipeline({
    version: 1,
    name: "odd",
    dataset: {
      source: "true",
      format: "columns",
      columns: { system: "no: yes # 1\n\ttwo  ", user: "{{ a }}", assistant: "0x1F" },
    },
    method: { kind: "lora" },
    provider: { kind: "local", base: "1e3" },
  });
  assert.equal(dir, Deno.cwd());
  await using home = await folder();
  await Deno.writeTextFile(join(home.dir, "true"), '{"a": "b"}\n');
  await Deno.writeTextFile(join(home.dir, "1e3"), "");
  const { parseYaml } = await import("../../src/spec/yaml/yaml.ts");
  const { dataset, provider } = parseYaml(text).value as Record<string, Record<string, unknown>>;
  assert.equal(dataset!["source"], "true");
  assert.deepEqual(dataset!["columns"], {
    system: "no: yes # 1\n\ttwo  ",
    user: "{{ a }}",
    assistant: "0x1F",
  });
  assert.equal(provider!["base"], "1e3");
});

Deno.test("definePipeline() refuses what is no data", () => {
  const columns: Record<string, unknown> = { user: "a", assistant: "b" };
  columns["system"] = columns;
  const input = {
    version: 1 as const,
    name: "loop",
    dataset: { source: "rows.jsonl", columns: columns as never },
    method: { kind: "lora" as const },
    provider: { kind: "local" as const, base: "x" },
  };
  assert.throws(() => definePipeline(input), { code: "bad-pipeline", message: /circular structure/ });
});

Deno.test("problems of a defined pipeline are those of its file, with their place in its YAML", async () => {
  await using home = await folder();
  const checked = await check(words(home.dir, { source: "row.jsonl" }));
  assert.ok(!checked.ok);
  const [{ path, line, column, hint, source }] = checked.problems as [(typeof checked.problems)[number]];
  assert.deepEqual([path, hint], ["dataset.source", 'did you mean "rows.jsonl"']);
  assert.equal(source.text.split("\n")[line - 1]!.slice(column - 1), "row.jsonl");
  assert.equal(source.name, 'pipeline "words"');
  await assert.rejects(plan(words(home.dir, { source: "row.jsonl" })), (error) => {
    assert.ok(error instanceof SpecError);
    assert.equal(error.problems.length, 1);
    assert.equal(error.exitCode, 2);
    return true;
  });
});

Deno.test("a run of a defined pipeline keeps it as YAML, which can be run by itself and is that very run", async () => {
  await using home = await folder();
  const { dir } = home;
  await Deno.mkdir(join(dir, "data"));
  await Deno.rename(join(dir, "rows.jsonl"), join(dir, "data", "rows.jsonl"));
  await Deno.mkdir(join(dir, "data", "jobs"));
  const providers = { mycluster: cluster };
  const pipeline = definePipeline({
    version: 1,
    name: "kept",
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "mycluster", queue: "jobs" },
  }, { dir: join(dir, "data"), providers });
  const done = await run(pipeline, {
    cwd: dir,
    onEvent: ({ type }) => type === "step.submitted" && finishJobs(join(dir, "data", "jobs")),
  });
  const kept = join(done.dir, "pipeline.yaml");
  assert.equal(done.state.pipeline, kept);
  assert.equal(await Deno.readTextFile(kept), pipeline.text);
  const again = await run(kept, { cwd: dir, providers });
  assert.deepEqual([again.did, again.id], ["reported", done.id]);
  const shown = await temper(["show", "last", "--json", "--runs", join(dir, "runs")]);
  assert.equal(shown.code, 0, shown.err);
  assert.deepEqual([JSON.parse(shown.out).name, JSON.parse(shown.out).state], ["kept", "done"]);
  const { changes } = await explain(pipeline, { cwd: dir, set: ["method.rank=4"] });
  assert.equal(changes?.run, done.id);
});

Deno.test("a step of one's own replaces temper's, and its output is kept apart", async () => {
  await using home = await folder();
  const { dir } = home;
  await Deno.mkdir(join(dir, "jobs"));
  let read = 0;
  const warehouse: StepExtension = {
    name: "warehouse",
    version: 1,
    cached: true,
    inputs: () => Promise.resolve({ table: "rooms" }),
    async run({ fs, out }) {
      read++;
      const row = { origin: "rows.jsonl:1", row: { prompt: "a", completion: "b" } };
      await fs.writeAtomic(join(out, "rows.jsonl"), `${JSON.stringify(row)}\n`);
      const source = { path: "rows.jsonl", set: "train", sha256: "0", bytes: 1, rows: 1 };
      await fs.writeAtomic(join(out, "sources.json"), JSON.stringify([source]));
      return { summary: { train: 1 } };
    },
  };
  const pipeline = definePipeline({
    version: 1,
    name: "from-warehouse",
    dataset: { source: "rows.jsonl", format: "prompt-completion" },
    method: { kind: "lora" },
    provider: { kind: "mycluster", queue: "jobs" },
  }, { dir, providers: { mycluster: cluster } });
  const options = {
    cwd: dir,
    steps: { extract: warehouse },
    onEvent: ({ type }: { readonly type: string }) =>
      type === "step.submitted" && finishJobs(join(dir, "jobs")),
  };
  const { state, error } = await run(pipeline, options);
  assert.equal(error, undefined);
  assert.equal(state.steps.find(({ kind }) => kind === "configure")?.summary?.["rows"], 1);
  const [own, temper] = [await plan(pipeline, options), await plan(pipeline, { cwd: dir })];
  assert.deepEqual([own.steps[0]!.cached, temper.steps[0]!.cached], [true, false]);
  assert.deepEqual(own.plan.steps[0]!.parts["inputs"], { own: "warehouse", table: "rooms" });
  assert.equal((await run(pipeline, { ...options, fresh: true })).state.steps[0]!.cached, true);
  assert.equal(read, 1);
});

Deno.test("planAll() plans each combination of a defined matrix", async () => {
  await using home = await folder();
  const pipeline = definePipeline({
    version: 1,
    name: "many",
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "openai", base: "gpt-4.1-nano-2025-04-14" },
    matrix: { "train.epochs": [1, 2] },
  }, { dir: home.dir });
  const plans = await planAll(pipeline, { cwd: home.dir, env: {} });
  assert.deepEqual(plans.map(({ name, pipeline, cell }) => [name, pipeline, cell]), [
    ["many-epochs-1", "many", "epochs-1"],
    ["many-epochs-2", "many", "epochs-2"],
  ]);
  const one = await plan(pipeline, { cwd: home.dir, env: {}, cell: "epochs-2" });
  assert.equal(one.name, "many-epochs-2");
  await assert.rejects(plan(pipeline, { cwd: home.dir, env: {} }), SpecError);
});

Deno.test("an input called own stands beside the name of a step of one's own: both are part of its key", async () => {
  await using home = await folder();
  const pipeline = definePipeline({
    version: 1,
    name: "owners",
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "openai", base: "gpt-4.1-nano-2025-04-14" },
  }, { dir: home.dir });
  const keyOf = async (name: string, inputs: JsonObject) => {
    const extract: StepExtension = {
      name,
      version: 1,
      cached: true,
      inputs: () => Promise.resolve(inputs),
      run: () => Promise.resolve({ summary: {} }),
    };
    return (await plan(pipeline, { cwd: home.dir, env: {}, steps: { extract } })).steps[0]!.key;
  };
  const keys = [
    await keyOf("a", {}),
    await keyOf("b", {}),
    await keyOf("a", { own: "x" }),
    await keyOf("b", { own: "x" }),
    await keyOf("a", { own: "y" }),
    await keyOf("x", { own: "a" }),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("a defined pipeline's text has every string as it was given", () => {
  const unit = fc.constantFrom(" ", "\n", "\t", "a", "#", ":", "-", "'", '"', "\\", "\r", "\u2028");
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), (user) => {
      const { text } = words("/data", { columns: { user, assistant: [user] } });
      assert.deepEqual(parseYaml(text).faults, []);
      const { dataset } = parseYaml(text).value as { dataset: { columns: unknown } };
      assert.deepEqual(dataset.columns, { user, assistant: [user] });
    }),
    { numRuns: 300, seed: 1, examples: [[" \n"], ["\n \n"], ["  \n\n"]] },
  );
});
