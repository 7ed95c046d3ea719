import { bytes, figure } from "../../../lib/text/format.ts";
import { linearParameters, type ModelShape, NF4_BYTES, trainedBytes } from "../../../plan/memory.ts";
import type { Spec } from "../../../spec/schema/schema.ts";

const GRADIENT_BYTES = 4;
/** Two are kept, and a third is written completely before the oldest is removed. */
export const CHECKPOINTS = 3;

/** Notes on a method before it runs on a base of this shape. */
export function methodNotes(spec: Spec, shape: ModelShape): string[] {
  switch (spec.method.kind) {
    case "full":
      return fullNotes(spec, shape);
    case "qlora":
      return qloraNotes(spec, shape);
    case "lora":
    case "prefix":
    case "adapter":
      return [];
  }
}

function fullNotes({ method, train: { optimizer } }: Spec, shape: ModelShape): string[] {
  const total = trainedBytes({ method, shape, optimizer });
  const held = bytes(total);
  const kept = bytes(total - GRADIENT_BYTES * shape.parameters);
  const each = figure(total / shape.parameters).replace(/\.0+$/, "");
  const moments = optimizer === "adamw_8bit" ? "the two AdamW moments in 8 bits" : "the two AdamW moments";
  return [
    `full needs ${each} bytes of memory per weight (weight, gradient and ${moments}): ` +
    `${held} before the first row is read`,
    `Each checkpoint of full takes ${kept} of disk; keep room for ${CHECKPOINTS} of them. Where saving one takes more ` +
    "than 5% of train.checkpoint_seconds they are written less often, and a kill costs more",
  ];
}

function qloraNotes({ train }: Spec, shape: ModelShape): string[] {
  const linear = linearParameters(shape);
  const rest = figure((1 - linear / shape.parameters) * 100);
  return [
    `qlora holds the linear layers in 4 bits while training: ${bytes(linear * NF4_BYTES)} instead of ${
      bytes(linear * 4)
    } in fp32. The other ${rest}% of the weights, activations and logits take as much memory as with lora`,
    `4-bit kernel: ${kernel(train.device)}; result.json names the one that was used`,
  ];
}

/** The trainer asks the environment the same when it starts (methods/nf4.py). */
function kernel(device: Spec["train"]["device"]): string {
  if (device === "mps") return "PyTorch, because bitsandbytes has none for mps";
  const where = device === "auto" ? "CUDA or the CPU" : device === "cuda" ? "CUDA" : "the CPU";
  return `bitsandbytes on ${where}, or PyTorch with the same values where it is not installed`;
}
