// deno-lint-ignore-file camelcase -- names of the job folder
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { type CostQuestion, costsOf } from "../../src/plan/costs.ts";
import { estimateMemory, type ModelShape } from "../../src/plan/memory.ts";
import { trainingFlops } from "../../src/plan/time.ts";
import { method as Methods } from "../../src/spec/schema/schema_method.ts";

/** Shared with the trainer: trainer/tests/test_costs.py. */
const vectors = JSON.parse(
  Deno.readTextFileSync(join(import.meta.dirname!, "..", "fixtures", "training_costs.json")),
);

function shapeOf(name: string): ModelShape {
  const { feed_forward, kv_heads, head_dim, ...rest } = vectors.shapes[name];
  return { ...rest, feedForward: feed_forward, kvHeads: kv_heads, headDim: head_dim };
}

/** Of job.json, where a prefix without a text to start from has null. */
function methodOf({ init_text, ...fields }: Record<string, unknown>) {
  return Methods.parse(typeof init_text === "string" ? { ...fields, init_text } : fields);
}

Deno.test("trainingFlops() are those of the trainer", () => {
  for (const { shape, method, work, flops } of vectors.trainings) {
    assert.equal(
      trainingFlops(methodOf(method), shapeOf(shape), work),
      flops,
      JSON.stringify([shape, method]),
    );
  }
});

Deno.test("estimateMemory() gives what the trainer expects, with and without checkpointing", () => {
  for (const { shape, method, batch, checkpointing, optimizer, ...wanted } of vectors.memory) {
    const found = estimateMemory({
      shape: shapeOf(shape),
      method: methodOf(method),
      weightBytes: batch.value_bytes,
      microTokens: batch.tokens,
      labelledTokens: batch.labelled,
      gpu: batch.gpu ?? false,
      checkpointing,
      optimizer,
    });
    const { trainable: trained, activations, logits } = found;
    for (const [name, value] of Object.entries({ trained, activations, logits })) {
      const apart = Math.abs(value / wanted[name] - 1);
      assert.ok(apart < 1e-9, `${name} of ${JSON.stringify([shape, method])}: ${value}`);
    }
  }
});

const question: CostQuestion = {
  shape: shapeOf("llama-3.1-8b"),
  method: Methods.parse({ kind: "lora" }),
  tokens: { train: 100_000, supervised: 50_000, longest: 1024 },
  rows: 200,
  epochs: 1,
  evalTokens: 0,
  batchSize: 4,
  microTokens: 4096,
  weightBytes: 2,
  gpu: true,
  deviceMemory: undefined,
  flopsPerSecond: undefined,
  quantization: "q8_0",
  baseBits: undefined,
};

Deno.test("costsOf() computes layers again where they would not fit otherwise, or where it is told to", () => {
  const kept = costsOf(question);
  assert.equal(kept.checkpointing, undefined, "memory is unknown: nothing speaks against keeping all");
  const roomy = costsOf({ ...question, deviceMemory: 1.2 * kept.memory.needed });
  assert.equal(roomy.checkpointing, undefined);
  const close = costsOf({ ...question, deviceMemory: 1.05 * kept.memory.needed });
  assert.deepEqual(close.checkpointing, { otherwise: kept.memory.needed }, "an estimate is not exact");
  assert.ok(close.memory.activations < kept.memory.activations / 4);
  assert.equal(
    Math.round(kept.memory.needed - close.memory.needed),
    Math.round(kept.memory.activations - close.memory.activations),
  );
  assert.deepEqual(costsOf({ ...question, checkpointing: true }).memory, close.memory);
  const refused = costsOf({ ...question, deviceMemory: 1e9, checkpointing: false });
  assert.equal(refused.checkpointing, undefined);
  assert.deepEqual(refused.memory, kept.memory);
});

Deno.test("costsOf() counts what 8-bit moments save in memory and in checkpoints", () => {
  const full = { ...question, method: Methods.parse({ kind: "full" }) };
  const [usual, small] = [costsOf(full), costsOf({ ...full, optimizer: "adamw_8bit" })];
  const { parameters, vocab, hidden } = question.shape;
  const saved = (8 - 2 - 8 / 256) * (parameters - vocab * hidden);
  assert.ok(Math.abs(usual.memory.trainable - small.memory.trainable - saved) < 1);
  assert.ok(Math.abs(usual.artifacts.checkpoint - small.artifacts.checkpoint - saved) < 1);
  assert.equal(usual.artifacts.checkpoint, 12 * parameters);
});
