import assert from "../../deps/assert.ts";
import { builtinBase } from "../../../src/providers/trainer/base/builtin.ts";
import { rowFinding } from "../../../src/providers/trainer/estimate/export_rows.ts";
import { trainingSpec } from "../../../src/providers/trainer/job/job.ts";
import type { FieldProblem } from "../../../src/spec/rules/field_problem.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";

const BASE = builtinBase("builtin:smollm2-135m-instruct");

function found(shape: object, method: object, options: object): FieldProblem[] {
  const provider = { kind: "local", base: BASE.name, export: options };
  const spec = Spec.parse({ version: 1, name: "home", dataset: { source: "a.jsonl" }, method, provider });
  return rowFinding(trainingSpec(spec), BASE.name, { ...BASE.shape!, ...shape });
}

Deno.test("rowFinding() wants whole blocks in every row of a blocked type", () => {
  for (const quantization of ["q8_0", "q4_0"]) {
    assert.deepEqual(found({}, { kind: "adapter", size: 96 }, { quantization }), []);
    assert.deepEqual(found({ feedForward: 1530 }, { kind: "adapter", size: 64 }, { quantization }), [{
      path: ["provider", "export", "quantization"],
      at: "value",
      message: `Cannot export base "${BASE.name}" as ${quantization}: rows of 1594 values ` +
        "(feed-forward 1530 and adapter 64) are not a multiple of the block size 32",
      hint: "Set provider.export.quantization to f16",
    }]);
    const [hidden] = found({ hidden: 580 }, { kind: "lora" }, { quantization });
    assert.match(hidden!.message, /rows of 580 values \(hidden\)/);
    const [attention] = found({ heads: 3, headDim: 20 }, { kind: "lora" }, { quantization });
    assert.match(attention!.message, /60 values \(attention\)/);
  }
});

Deno.test("rowFinding() leaves other types and no file alone", () => {
  const odd = { feedForward: 1530 };
  assert.deepEqual(found(odd, { kind: "lora" }, { quantization: "f16" }), []);
  assert.deepEqual(found(odd, { kind: "lora" }, { gguf: false }), []);
});
