import assert from "../deps/assert.ts";
import { artifactSizes, type Quantization } from "../../src/plan/artifacts.ts";
import { likelyShape } from "../../src/plan/model_shapes.ts";
import { method } from "../../src/spec/schema/schema_method.ts";

const shape = likelyShape(134_515_008).shape;
/** The builtin base: 98,362,432 bytes. */
const Q4_1 = 8 * 98_362_432 / shape.parameters;

const gguf = (kind: string, quantization: Quantization = "q8_0") =>
  artifactSizes({ shape, method: method.parse({ kind }), quantization, baseBits: Q4_1 }).gguf;

Deno.test("artifactSizes() comes near what the demo pipelines left", () => {
  // Measured on the builtin base: `deno task compare pipelines/compare.yaml`, and with q8_0 in place of its f16
  const measured = {
    f16: { full: 271e6, lora: 271e6, qlora: 271e6, prefix: 328e6, adapter: 278e6 },
    "q8_0": { full: 145e6, lora: 145e6, qlora: 145e6, prefix: 155e6, adapter: 137e6 },
  };
  for (const quantization of ["f16", "q8_0"] as const) {
    for (const [kind, bytes] of Object.entries(measured[quantization])) {
      const found = gguf(kind, quantization);
      assert.ok(Math.abs(found / bytes - 1) < 0.1, `${kind}, ${quantization}: ${found} for ${bytes}`);
    }
  }
});

Deno.test("artifactSizes() writes every weight in a whole type where one is asked for", () => {
  assert.equal(gguf("lora", "f32"), 4 * shape.parameters);
  assert.equal(gguf("full", "f16"), 2 * shape.parameters);
  assert.ok(gguf("lora", "q4_0") < gguf("lora", "q8_0"));
});

Deno.test("artifactSizes() counts the types of a mix", () => {
  // Llama 3.1 8B as llama-quantize writes it
  const wide = likelyShape(8_030_261_248).shape;
  const size = (quantization: Quantization) =>
    artifactSizes({ shape: wide, method: method.parse({ kind: "lora" }), quantization, baseBits: undefined })
      .gguf;
  const published = { "q4_k_m": 4.92e9, "q5_k_m": 5.73e9, "q6_k": 6.60e9 };
  for (const [quantization, bytes] of Object.entries(published)) {
    const found = size(quantization as Quantization);
    assert.ok(Math.abs(found / bytes - 1) < 0.01, `${quantization}: ${found} for ${bytes}`);
  }
  assert.ok(
    gguf("full", "q4_k_m") > 5.5 / 8 * shape.parameters,
    "rows of 576 values are written in blocks of 32",
  );
});

Deno.test("artifactSizes() keeps three numbers for each trained one in a checkpoint", () => {
  const { weights, checkpoint } = artifactSizes({
    shape,
    method: method.parse({ kind: "full" }),
    quantization: "f16",
    baseBits: undefined,
  });
  assert.deepEqual([weights, checkpoint], [4 * shape.parameters, 12 * shape.parameters]);
});
