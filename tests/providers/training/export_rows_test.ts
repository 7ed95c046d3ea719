import assert from "node:assert/strict";
import { builtinBase } from "../../../src/providers/training/base/builtin.ts";
import { refuseRows } from "../../../src/providers/training/export_rows.ts";
import { trainingSpec } from "../../../src/providers/training/job.ts";
import { Spec } from "../../../src/spec/schema.ts";

const BASE = builtinBase("builtin:smollm2-135m-instruct");

function check(shape: object | null, method: object, options: object): () => void {
  const provider = { kind: "local", base: BASE.name, export: options };
  const spec = Spec.parse({ version: 1, name: "home", dataset: { source: "a.jsonl" }, method, provider });
  const base = { ...BASE, shape: shape && { ...BASE.shape!, ...shape } };
  return () => refuseRows(trainingSpec(spec), base);
}

Deno.test("refuseRows() wants whole blocks in every row of a blocked type", () => {
  for (const quantization of ["q8_0", "q4_0"]) {
    check({}, { kind: "adapter", size: 96 }, { quantization })();
    assert.throws(check({ feedForward: 1530 }, { kind: "adapter", size: 64 }, { quantization }), {
      code: "export-rows",
      message: `Cannot export base "${BASE.name}" as ${quantization}: rows of 1594 values ` +
        "(feed-forward 1530 and adapter 64) are not made of blocks of 32",
      hint: "Set provider.export.quantization to f16",
    });
    assert.throws(
      check({ hidden: 580 }, { kind: "lora" }, { quantization }),
      /rows of 580 values \(hidden\)/,
    );
    assert.throws(
      check({ heads: 3, headDim: 20 }, { kind: "lora" }, { quantization }),
      /60 values \(attention\)/,
    );
  }
});

Deno.test("refuseRows() leaves other types, no file and an unknown base alone", () => {
  const odd = { feedForward: 1530 };
  check(odd, { kind: "lora" }, { quantization: "f16" })();
  check(odd, { kind: "lora" }, { gguf: false })();
  check(null, { kind: "lora" }, {})();
});
