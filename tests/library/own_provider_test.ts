import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { z } from "zod";
import {
  cancel,
  check,
  definePipeline,
  followRun,
  listRuns,
  type LoadedSpec,
  type Pipeline,
  plan,
  providerFields,
  readRun,
  run,
  type RunOptions,
  schema,
  SpecError,
} from "../../mod.ts";
import { servingWork } from "../../src/library/register.ts";
import { cluster, finishJobs, folder, jobsIn, PIPELINE, providers, YAML } from "./kit.ts";

/** A pipeline for the cluster, whose queue is there. */
async function withPipeline(test: (dir: string, pipeline: Pipeline) => Promise<void>): Promise<void> {
  await using home = await folder();
  await Deno.mkdir(join(home.dir, "jobs"));
  const pipeline = definePipeline(PIPELINE, { dir: home.dir, providers });
  await test(home.dir, pipeline);
}

/** Runs the pipeline and leaves it as soon as its job was started. */
async function leave(dir: string, pipeline: Pipeline, options: RunOptions = {}) {
  const away = new AbortController();
  const left = await run(pipeline, {
    cwd: dir,
    ...options,
    signal: away.signal,
    onEvent: ({ type }) => type === "step.submitted" && away.abort(),
  });
  assert.equal(left.state.state, "interrupted");
  assert.equal((await jobsIn(join(dir, "jobs"))).length, 1);
  return left;
}

Deno.test("run() with a provider of one's own goes to a measured result, and reports it the second time", () =>
  withPipeline(async (dir, pipeline) => {
    const said: string[] = [];
    const { state, scores, did, error } = await run(pipeline, {
      cwd: dir,
      onEvent(event) {
        said.push(event.type);
        if (event.type === "step.submitted") finishJobs(join(dir, "jobs"));
      },
    });
    assert.equal(error, undefined);
    assert.deepEqual([did, state.state, state.provider, scores.after], [
      "started",
      "done",
      "mycluster",
      0.75,
    ]);
    assert.deepEqual(state.artifacts.map(({ path }) => path), ["answers.txt"]);
    assert.equal(said.at(-1), "run.done");
    await assert.rejects(cancel("last", { cwd: dir, providers }), { code: "not-running" });
    const again = await run(pipeline, { cwd: dir });
    assert.deepEqual([again.did, again.id], ["reported", state.id]);
    assert.deepEqual((await listRuns({ cwd: dir })).map(({ id }) => id), [state.id]);
    const followed: string[] = [];
    for await (const { type } of followRun("last", { cwd: dir })) followed.push(type);
    assert.deepEqual(followed, said);
  }));

Deno.test("run() goes on with a run that was left, whose job of a provider of one's own is started once", () =>
  withPipeline(async (dir, pipeline) => {
    const left = await leave(dir, pipeline);
    assert.equal(left.exitCode, 130);
    await finishJobs(join(dir, "jobs"));
    const resumed = await run(pipeline, { cwd: dir, resume: "last" });
    assert.deepEqual([resumed.did, resumed.id, resumed.state.state], ["resumed", left.id, "done"]);
    assert.equal((await jobsIn(join(dir, "jobs"))).length, 1);
  }));

Deno.test("run() resumes a run that is named by its path where it is, whatever the folder of the runs", () =>
  withPipeline(async (dir, pipeline) => {
    const left = await leave(dir, pipeline);
    await finishJobs(join(dir, "jobs"));
    const resumed = await run(pipeline, { cwd: dir, runsDir: "elsewhere", resume: `./runs/${left.id}/` });
    assert.deepEqual([resumed.did, resumed.dir, resumed.state.state], ["resumed", left.dir, "done"]);
  }));

Deno.test("cancel() stops the job of a provider of one's own, and says so when it does not know it", () =>
  withPipeline(async (dir, pipeline) => {
    const { id } = await leave(dir, pipeline);
    await assert.rejects(cancel("last", { cwd: dir }), { code: "provider-unsupported" });
    assert.equal((await readRun("last", { cwd: dir })).state, "interrupted");
    const state = await cancel("last", { cwd: dir, providers });
    assert.deepEqual([state.id, state.state], [id, "cancelled"]);
    const [job] = await jobsIn(join(dir, "jobs"));
    assert.ok(await Deno.stat(join(dir, "jobs", `${job}.cancelled`)));
  }));

Deno.test("run() cancels the job of a provider of one's own with its signal for that", () =>
  withPipeline(async (dir, pipeline) => {
    const end = new AbortController();
    const { state } = await run(pipeline, {
      cwd: dir,
      cancelSignal: end.signal,
      onEvent: ({ type }) => type === "step.submitted" && end.abort(),
    });
    assert.equal(state.state, "cancelled");
    const [job] = await jobsIn(join(dir, "jobs"));
    assert.ok(await Deno.stat(join(dir, "jobs", `${job}.cancelled`)));
  }));

Deno.test("run() that is left before it begins makes no run", () =>
  withPipeline(async (dir, pipeline) => {
    const left = run(pipeline, { cwd: dir, signal: AbortSignal.abort("enough") });
    await assert.rejects(left, { code: "interrupted", exitCode: 130, cause: "enough" });
    assert.deepEqual(await listRuns({ cwd: dir }), []);
  }));

Deno.test("a file whose provider was passed in is that pipeline, with the same keys", () =>
  withPipeline(async (dir, pipeline) => {
    await Deno.writeTextFile(join(dir, "own.yaml"), YAML);
    const defined = await plan(pipeline, { cwd: dir });
    const file = await plan("own.yaml", { cwd: dir, providers });
    assert.deepEqual(file.steps.map(({ key }) => key), defined.steps.map(({ key }) => key));
    assert.deepEqual(file.preview.estimates.map(({ text }) => text), ["4 rows"]);
    await assert.rejects(plan("own.yaml", { cwd: dir }), (error) => {
      assert.ok(error instanceof SpecError);
      assert.deepEqual(error.problems.map(({ path }) => path), ["provider.kind"]);
      return true;
    });
  }));

Deno.test("the section of a provider of one's own is checked with its schema, and then by it", () =>
  withPipeline(async (dir) => {
    const problems = async (section: string) => {
      await Deno.writeTextFile(join(dir, "own.yaml"), YAML.replace("queue: jobs", section));
      const checked = await check("own.yaml", { cwd: dir, providers });
      return checked.ok ? [] : checked.problems.map(({ line, column, path, hint }) => ({
        at: `${line}:${column}`,
        path,
        hint,
      }));
    };
    assert.deepEqual(await problems("queue: jobs"), []);
    assert.deepEqual(await problems("queue: jobs, priorty: 2"), [
      { at: "5:42", path: "provider.priorty", hint: 'did you mean "priority"' },
    ]);
    assert.deepEqual(await problems("priority: 2"), [
      { at: "5:1", path: "provider.queue", hint: "Folder that the cluster takes its jobs from" },
    ]);
    assert.deepEqual(await problems("queue: nowhere"), [
      { at: "5:36", path: "provider.queue", hint: undefined },
    ]);
  }));

Deno.test("checks and transforms of the schema of one's own provider hold, once", async () => {
  await using home = await folder();
  const seconds = z.string().regex(/^\d+m$/).transform((text) => parseInt(text) * 60);
  const fields = z.object({
    least: z.int(),
    most: z.int().optional(),
    ttl: seconds,
    tag: z.custom().optional(),
  })
    .refine(({ least, most }) => most === undefined || least <= most, "least is above most")
    .refine(({ least, most }) => least < 9 || most !== undefined, { path: ["most"], message: "needed here" });
  const read: unknown[] = [];
  const provider = async () => ({
    ...await cluster.provider(),
    inputs(loaded: LoadedSpec) {
      read.push(providerFields(loaded, fields));
      return Promise.resolve({});
    },
  });
  const pipeline = (section: { readonly least: number; readonly most?: number; readonly ttl: string }) =>
    definePipeline({
      version: 1,
      name: "own",
      dataset: { source: "rows.jsonl" },
      method: { kind: "lora" },
      provider: { kind: "ours", ...section },
    }, { dir: home.dir, providers: { ours: { schema: fields, provider } } });
  const problems = async (...args: Parameters<typeof pipeline>) => {
    const checked = await check(pipeline(...args));
    return checked.ok ? [] : checked.problems.map(({ path, message }) => [path, message]);
  };
  assert.deepEqual(await problems({ least: 5, most: 1, ttl: "5m" }), [
    ["provider", "Wrong value for provider: least is above most"],
  ]);
  assert.deepEqual(await problems({ least: 9, ttl: "5m" }), [
    ["provider.most", "Wrong value for provider.most: needed here"],
  ]);
  const stray = { least: 1, ttl: "5m", lest: 1 };
  assert.deepEqual(await problems(stray), [["provider.lest", 'Unrecognized key "lest" in provider']]);
  await plan(pipeline({ least: 1, ttl: "5m" }), { cwd: home.dir });
  assert.deepEqual(read, [{ least: 1, ttl: 300 }]);
  // A plan has the fields as they were parsed.
  const left = new AbortController();
  const { dir } = await run(pipeline({ least: 1, ttl: "5m" }), {
    cwd: home.dir,
    signal: left.signal,
    onEvent: () => left.abort(),
  });
  const providers = { ours: { schema: fields, provider } };
  const { spec } = await servingWork("last", { runsDir: join(dir, ".."), providers }, "serve");
  assert.deepEqual(spec.provider, { kind: "ours", least: 1, ttl: 300 });
});

Deno.test("fields of a provider of one's own mean what it says, whatever temper's are called", async () => {
  await using home = await folder();
  const { dir } = home;
  await Deno.mkdir(join(dir, "jobs"));
  const planOnly = async () => ({ ...await cluster.provider(), inputs: () => Promise.resolve({}) });
  const fields = z.strictObject({
    queue: z.string(),
    export: z.strictObject({ gguf: z.boolean(), quantization: z.string() }),
  });
  const abilities = { reasoning: false, images: true, preference: false, hosted: false };
  const pipeline = definePipeline({
    version: 1,
    name: "own",
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "ours", queue: "jobs", export: { gguf: false, quantization: "int3" } },
  }, { dir, providers: { ours: { schema: fields, abilities, provider: planOnly } } });
  const checked = await check(pipeline);
  assert.deepEqual(checked.ok ? [] : checked.problems, []);
  const { plan: { steps: [, format] } } = await plan(pipeline, { cwd: dir });
  assert.deepEqual((format!.parts["inputs"] as Record<string, unknown>)["abilities"], abilities);
});

Deno.test("schema() describes the sections of providers that were passed in", () => {
  const kinds = schema({ providers }).properties?.["provider"]?.oneOf?.map((section) =>
    section.properties?.["kind"]?.const
  );
  assert.deepEqual(kinds, ["local", "ollama", "openai", "mycluster"]);
  assert.throws(() => schema({ providers: { local: cluster } }), { code: "provider-taken" });
});
