import assert from "../deps/assert.ts";
import { fileURLToPath } from "node:url";
import { denoFs } from "../../src/lib/files/fs.ts";
import { resolveTraining } from "../../src/plan/defaults.ts";
import { loadAllOrThrow, type LoadedSpec, loadSpecOrThrow } from "../../src/spec/load.ts";

const PARAMETERS = 134_515_008;

const FOLDER = new URL("../../pipelines/", import.meta.url);

function pipeline(name: string): string {
  return fileURLToPath(new URL(`${name}.yaml`, FOLDER));
}

/** What decides about the figures that are compared. How often a checkpoint is written does not. */
function settings({ spec }: LoadedSpec) {
  const { dataset, method, train, evaluate, provider } = spec;
  const { epochs, learningRate } = resolveTraining(spec, PARAMETERS);
  const { checkpoint_seconds: _, ...training } = train;
  assert.ok(provider.kind !== "openai");
  return {
    dataset,
    method,
    train: { ...training, epochs: epochs.value, learning_rate: learningRate.value },
    evaluate: { ...evaluate, few_shot: undefined },
    base: provider.base,
    export: provider.export,
  };
}

Deno.test("compare.yaml compares every method as its own pipeline trains it", async () => {
  const cells = await loadAllOrThrow(pipeline("compare"), denoFs);
  const methods = ["full", "lora", "qlora", "prefix", "adapter"];
  assert.deepEqual(cells.map(({ cell }) => cell?.label), methods);
  assert.deepEqual(cells.map(({ spec }) => spec.method.kind), methods);
  const shipped = (await denoFs.list(fileURLToPath(FOLDER))).flatMap((file) =>
    methods.filter((m) => file === `${m}.yaml`)
  );
  assert.ok(shipped.length >= 3);
  for (const cell of cells.filter(({ spec }) => shipped.includes(spec.method.kind))) {
    const { kind } = cell.spec.method;
    assert.deepEqual(settings(cell), settings(await loadSpecOrThrow(pipeline(kind), denoFs)), kind);
  }
});
