import type { ArtifactSizes } from "./artifacts.ts";
import type { ModelShape } from "./memory.ts";

/** One thing that takes disk space. */
export interface DiskNeed {
  readonly what: string;
  readonly bytes: number;
}

/** Two are kept, and the next one is whole before the oldest goes. */
const CHECKPOINTS = 3;
/** At most: a merged folder keeps the base's own type. */
const MERGED_BYTES = 4;
/** Logs, metrics, predictions and the copies that writing by rename takes for a moment. */
const REST_BYTES = 50e6;

/** The most disk space a training uses at a time, largest first. */
export function diskNeeds(
  sizes: ArtifactSizes,
  shape: Pick<ModelShape, "parameters">,
  wanted: { readonly gguf: boolean; readonly merged: boolean },
): DiskNeed[] {
  const needs = [
    { what: `${CHECKPOINTS} checkpoints`, bytes: CHECKPOINTS * sizes.checkpoint },
    { what: "trained weights", bytes: sizes.weights },
    { what: "GGUF file", bytes: wanted.gguf ? sizes.gguf : 0 },
    { what: "merged folder", bytes: wanted.merged ? MERGED_BYTES * shape.parameters : 0 },
    { what: "logs and other files", bytes: REST_BYTES },
  ];
  return needs.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
}
