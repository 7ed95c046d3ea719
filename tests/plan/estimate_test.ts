import assert from "../deps/assert.ts";
import fc from "fast-check";
import { resolveTraining } from "../../src/plan/defaults.ts";
import {
  estimateMemory,
  linearParameters,
  type ModelShape,
  trainableParameters,
} from "../../src/plan/memory.ts";
import { estimateTime } from "../../src/plan/time.ts";
import { Spec } from "../../src/spec/schema/schema.ts";

const smollm2: ModelShape = {
  layers: 30,
  hidden: 576,
  feedForward: 1536,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  vocab: 49152,
  tied: true,
  parameters: 134_515_008,
};

function spec(method: unknown, train: unknown = {}): Spec {
  return Spec.parse({
    version: 1,
    name: "x",
    dataset: { source: "a.jsonl" },
    method,
    train,
    provider: { kind: "local", base: "b.gguf" },
  });
}

Deno.test("trainableParameters() of LoRA equals what PEFT counts on SmolLM2-135M", () => {
  // PEFT 0.21.2, r 8 on all linear layers: 2,442,240 trainable parameters
  assert.equal(trainableParameters(spec({ kind: "lora" }).method, smollm2), 2_442_240);
  assert.equal(
    trainableParameters(spec({ kind: "lora", target: ["q_proj"], rank: 2 }).method, smollm2),
    30 * 2 * (576 + 576),
  );
});

Deno.test("estimateMemory() grows with tokens and with trained numbers", () => {
  const question = { shape: smollm2, weightBytes: 4, microTokens: 256, labelledTokens: 64 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: 1, max: 64 }), (tokens, rank) => {
      const at = (t: number, r: number) =>
        estimateMemory({ ...question, method: spec({ kind: "lora", rank: r }).method, microTokens: t }).total;
      assert.ok(at(tokens + 1, rank) > at(tokens, rank));
      assert.ok(at(tokens, rank + 1) > at(tokens, rank));
    }),
  );
  const lora = estimateMemory({ ...question, method: spec({ kind: "lora" }).method });
  const full = estimateMemory({ ...question, method: spec({ kind: "full" }).method });
  assert.ok(full.trainable > 50 * lora.trainable);
});

Deno.test("estimateMemory() counts every weight once, in the type it is held in", () => {
  const question = { shape: smollm2, weightBytes: 4, microTokens: 1, labelledTokens: 1 };
  const at = (kind: string) => estimateMemory({ ...question, method: spec({ kind }).method });
  const [full, lora, qlora] = [at("full"), at("lora"), at("qlora")];
  assert.equal(full.weights + full.trainable, 16 * smollm2.parameters);
  assert.equal(lora.weights, 4 * smollm2.parameters);
  // 7 linear layers a block: two of 576 x 576, two of 576 x 192, three of 576 x 1,536
  const linear = 30 * (2 * 576 * 576 + 2 * 576 * 192 + 3 * 576 * 1536);
  assert.equal(linearParameters(smollm2), linear);
  const packed = lora.weights - qlora.weights;
  assert.ok(Math.abs(packed / linear - (32 - 4.127) / 8) < 1e-3, `${packed / linear} bytes a weight saved`);
});

Deno.test("estimateTime() is in proportion to tokens and speed", () => {
  const method = spec({ kind: "lora" }).method;
  const at = (tokens: number, flopsPerSecond: number) => {
    const work = { tokens, labelled: tokens / 2, pairs: 20 * tokens };
    return estimateTime({ shape: smollm2, method, work, evalTokens: 0, flopsPerSecond }).train;
  };
  assert.equal(at(2000, 1e10), 2 * at(1000, 1e10));
  assert.equal(at(1000, 1e10), 2 * at(1000, 2e10));
});

Deno.test("resolveTraining() takes the file's values and gives a reason for every default", () => {
  const given = resolveTraining(spec({ kind: "lora" }, { epochs: 3, learning_rate: 1e-5 }), 1e9);
  assert.deepEqual([given.epochs.value, given.learningRate.value], [3, 1e-5]);
  assert.equal(resolveTraining(spec({ kind: "prefix" }), 1e8).epochs.value, 2);
  assert.equal(resolveTraining(spec({ kind: "lora" }), 135e6).learningRate.value, 2e-3);
  assert.equal(resolveTraining(spec({ kind: "lora" }), 8e9).learningRate.value, 2e-4);
  assert.match(resolveTraining(spec({ kind: "lora" }), undefined).learningRate.reason, /size is unknown/);
});
