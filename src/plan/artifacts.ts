import type { Spec } from "../spec/schema/schema.ts";
import {
  linearParameters,
  type ModelShape,
  targetedParameters,
  trainableParameters,
  trainedBytes,
} from "./memory.ts";

/** Bytes of what a training leaves. */
export interface ArtifactSizes {
  /** The trained parameters only, in fp32. */
  readonly weights: number;
  /** The complete model, base and training merged. */
  readonly gguf: number;
  /** One checkpoint: the trained numbers in fp32 and two moments of AdamW. */
  readonly checkpoint: number;
}

export interface ArtifactQuestion {
  readonly shape: ModelShape;
  readonly method: Spec["method"];
  readonly quantization: Quantization;
  /** Bits that the base's file takes for a weight on average; undefined where it holds whole numbers (F32, F16, BF16). */
  readonly baseBits: number | undefined;
  /** @default adamw */
  readonly optimizer?: Spec["train"]["optimizer"];
}

export type Quantization = "f32" | "f16" | "bf16" | "q8_0" | "q4_0";

/** Bits of a weight: blocks of 32 share a scale of 16 bits. */
const BITS: Readonly<Record<Quantization, number>> = {
  "f32": 32,
  "f16": 16,
  "bf16": 16,
  "q8_0": 8.5,
  "q4_0": 4.5,
};
/** Rows that were trained as input are not rounded to blocks. */
const PRECISE_BITS = 16;

/** How large the files become. Blocks of the base that training did not touch stay as they are. */
export function artifactSizes(question: ArtifactQuestion): ArtifactSizes {
  const { shape, method, quantization, baseBits } = question;
  const trainable = trainableParameters(method, shape);
  const bits = BITS[quantization];
  const kept = bits >= PRECISE_BITS || baseBits === undefined ? bits : baseBits;
  const touched = touchedParameters(method, shape);
  const wider = method.kind === "adapter" ? trainable : 0;
  const file = ((touched + wider) * bits + (shape.parameters - touched) * kept) / 8;
  return {
    weights: 4 * trainable,
    gguf: file + vocabularyBytes(question, kept),
    checkpoint: trainedBytes(question) - 4 * trainable,
  };
}

/** Weights of the base whose values change in the file. */
function touchedParameters(method: Spec["method"], shape: ModelShape): number {
  switch (method.kind) {
    case "full":
      return shape.parameters;
    case "lora":
    case "qlora":
      return targetedParameters(method, shape);
    case "prefix":
      return 0;
    case "adapter":
      return linearParameters(shape, ["gate_proj", "up_proj", "down_proj"]);
  }
}

/** What the tokens of a prefix add: an embedding that is not rounded, and a head of its own where there was none. */
function vocabularyBytes({ shape, method, quantization }: ArtifactQuestion, kept: number): number {
  if (method.kind !== "prefix" || method.placement !== "input") return 0;
  const embedding = (shape.vocab + method.length) * shape.hidden;
  const precise = Math.max(PRECISE_BITS, BITS[quantization]);
  const head = shape.tied ? embedding * kept : 0;
  return (embedding * (precise - kept) + head) / 8;
}
