import type { ModelShape } from "../../../plan/memory.ts";
import type { FieldProblem } from "../../../spec/rules/field_problem.ts";
import type { TrainingSpec } from "../job/job.ts";

/** Values that share a scale in q8_0 and q4_0. */
const BLOCK = 32;
const BLOCKED = ["q8_0", "q4_0"];

/** A type that the base's rows cannot be written in. */
export function rowFinding(
  { method, provider }: TrainingSpec,
  name: string,
  shape: ModelShape,
): FieldProblem[] {
  const { gguf, quantization } = provider.export;
  if (!gguf || !BLOCKED.includes(quantization)) return [];
  const wider = method.kind === "adapter" ? method.size : 0;
  const odd = rows(shape, wider).find(({ length }) => length % BLOCK !== 0);
  if (odd === undefined) return [];
  return [{
    path: ["provider", "export", "quantization"],
    at: "value",
    message:
      `Cannot export base "${name}" as ${quantization}: rows of ${odd.length} values (${odd.what}) are not a multiple of ` +
      `the block size ${BLOCK}`,
    hint: "Set provider.export.quantization to f16",
  }];
}

function rows(shape: ModelShape, wider: number): { readonly length: number; readonly what: string }[] {
  const feedForward = wider === 0 ? "feed-forward" : `feed-forward ${shape.feedForward} and adapter ${wider}`;
  return [
    { length: shape.hidden, what: "hidden" },
    { length: shape.heads * shape.headDim, what: "attention" },
    { length: shape.feedForward + wider, what: feedForward },
  ];
}
