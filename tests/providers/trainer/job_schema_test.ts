import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonObject } from "../../../src/lib/json/json.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { BaseInfo } from "../../../src/providers/trainer/base/base.ts";
import { builtinBase } from "../../../src/providers/trainer/base/builtin.ts";
import { chatTemplateOf, jobSettings, trainingSpec } from "../../../src/providers/trainer/job/job.ts";
import { loadAllOrThrow } from "../../../src/spec/load.ts";
import { METRIC_NAMES } from "../../../src/spec/rules/metrics.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { ROOT } from "../../e2e/kit.ts";

const BASE = builtinBase("builtin:smollm2-135m-instruct");
const SCHEMA = JSON.parse(await denoFs.readText(join(ROOT, "trainer", "job.schema.json")));
const ajv = new Ajv2020({ strict: false, allErrors: true });
const isJob = ajv.compile(SCHEMA);

/** As configureTraining() writes it, through JSON. */
function written(spec: Spec, base: BaseInfo = BASE, chatTemplate?: string): unknown {
  const settings = jobSettings(trainingSpec(spec), base, "Home:", chatTemplate);
  return JSON.parse(JSON.stringify({ ...settings, data: { train: "train.jsonl", eval: null } }));
}

function accepted(job: unknown, what: string): void {
  assert.ok(isJob(job), `${what}: ${ajv.errorsText(isJob.errors)}`);
}

function spec(changes: object = {}): Spec {
  return Spec.parse({
    version: 1,
    name: "home",
    dataset: { source: "home.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "local", base: BASE.name },
    ...changes,
  });
}

Deno.test("job.json of every pipeline of ours is what job.schema.json says", async () => {
  let seen = 0;
  for (const name of await denoFs.list(join(ROOT, "pipelines"))) {
    if (!name.endsWith(".yaml")) continue;
    for (const loaded of await loadAllOrThrow(join(ROOT, "pipelines", name), denoFs)) {
      if (loaded.spec.provider.kind === "openai") continue;
      accepted(written(loaded.spec, BASE, await chatTemplateOf(loaded, denoFs)), name);
      seen++;
    }
  }
  assert.ok(seen > 7, `only ${seen} pipelines train here`);
});

Deno.test("job.json of every method, base, metric and export is what job.schema.json says", () => {
  const methods = [
    { kind: "full" },
    { kind: "lora", rank: 4, target: ["q_proj"], rslora: true },
    { kind: "lora", target: "attention" },
    { kind: "qlora" },
    { kind: "adapter", size: 128 },
    { kind: "prefix", init_text: "Home:" },
    { kind: "prefix", placement: "layers" },
  ];
  for (const method of methods) accepted(written(spec({ method })), JSON.stringify(method));
  const kinds = new Set(methods.map(({ kind }) => kind));
  assert.deepEqual(SCHEMA.properties.method.oneOf.length, kinds.size);

  const bases: readonly JsonObject[] = [
    { kind: "gguf", path: "/a.gguf", sha256: "0" },
    { kind: "folder", path: "/a", sha256: "0" },
    { kind: "hub", id: "owner/name", revision: "main" },
  ];
  for (const job of bases) accepted(written(spec(), { ...BASE, job }), JSON.stringify(job));
  assert.equal(SCHEMA.properties.base.oneOf.length, bases.length + 1);

  for (const metric of METRIC_NAMES) {
    const pattern = metric === "regex" ? { pattern: "^{{ expected }}$" } : {};
    accepted(written(spec({ evaluate: { metric, ...pattern } })), metric);
  }
  for (const quantization of ["f32", "f16", "bf16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q4_0"]) {
    const provider = { kind: "ollama", base: BASE.name, model: "home", export: { quantization } };
    accepted(written(spec({ provider })), quantization);
  }
});

Deno.test("job.schema.json refuses what the trainer refuses", () => {
  const job = written(spec()) as Record<string, Record<string, unknown>>;
  assert.ok(!isJob({ ...job, steps: 1 }));
  assert.ok(!isJob({ ...job, train: { ...job["train"], epochs: 0 } }));
  assert.ok(!isJob({ ...job, method: { kind: "magic" } }));
  assert.ok(!isJob({ ...job, evaluate: { ...job["evaluate"], metric: "taste" } }));
});
