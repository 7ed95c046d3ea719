import type { Spec } from "../spec/schema/schema.ts";
import {
  linearParameters,
  linears,
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

export type Quantization = keyof typeof BITS | keyof typeof MIXES;

/** Bits of a weight: blocks of 32 share a scale of 16 bits. */
const BITS = { "f32": 32, "f16": 16, "bf16": 16, "q8_0": 8.5, "q4_0": 4.5 } as const;
/** Rows that were trained as input are not rounded to blocks. */
const PRECISE_BITS = 16;

/** Mixes of K-quants, by what most weights have (trainer/temper_trainer/gguf/mixes.py). */
const MIXES = { "q4_k_m": "q4_k", "q5_k_m": "q5_k", "q6_k": "q6_k" } as const;
/** Bits in blocks of 256, and in those of 32 that rows of another length are written in. */
const K_BITS = { "q4_k": [4.5, 5.5], "q5_k": [5.5, 6], "q6_k": [6.5625, 8.5] } as const;
const SUPER_BLOCK = 256;

/** Bits of a weight on average, of the layers and of embedding and head. */
function bitsOf(quantization: Quantization, shape: ModelShape): { layers: number; vocabulary: number } {
  if (quantization in BITS) {
    const bits = BITS[quantization as keyof typeof BITS];
    return { layers: bits, vocabulary: bits };
  }
  const most = MIXES[quantization as keyof typeof MIXES];
  const bits = (type: keyof typeof K_BITS, row: number) => K_BITS[type][row % SUPER_BLOCK === 0 ? 0 : 1];
  const more = moreBits(shape.layers);
  const sizes = Object.entries(linears(shape)).map(([name, [from, to]]) => {
    const share = name === "v_proj" || name === "down_proj" ? more : 0;
    return { size: from * to, bits: share * bits("q6_k", from) + (1 - share) * bits(most, from) };
  });
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  // The head, and the embedding where it is the head; another embedding is written as most of the file.
  const head = bits("q6_k", shape.hidden);
  return {
    layers: sizes.reduce((sum, { size, bits }) => sum + size * bits, 0) / all,
    vocabulary: shape.tied ? head : (head + bits(most, shape.hidden)) / 2,
  };
}

/** Share of the layers whose values and whose last product have more bits. */
function moreBits(layers: number): number {
  const first = Math.floor(layers / 8);
  const chosen = Array.from({ length: layers }, (_, i) => i).filter((i) =>
    i < first || i >= Math.floor(7 * layers / 8) || (i - first) % 3 === 2
  );
  return chosen.length / layers;
}

/** How large the files become. Blocks of the base that training did not touch stay as they are. */
export function artifactSizes(question: ArtifactQuestion): ArtifactSizes {
  const { shape, method, quantization, baseBits } = question;
  const trainable = trainableParameters(method, shape);
  const bits = bitsOf(quantization, shape);
  const keeps = bits.layers < PRECISE_BITS && baseBits !== undefined;
  const [layers, vocabulary] = keeps ? [baseBits, baseBits] : [bits.layers, bits.vocabulary];
  const touched = touchedParameters(method, shape);
  const wider = method.kind === "adapter" ? trainable : 0;
  const inLayers = method.kind === "full" ? linearParameters(shape) : touched;
  const untouched = Math.max(0, linearParameters(shape) - touched);
  const rest = shape.parameters - inLayers - untouched;
  const written = method.kind === "full" ? bits.vocabulary : vocabulary;
  const file = ((inLayers + wider) * bits.layers + untouched * layers + rest * written) / 8;
  return {
    weights: 4 * trainable,
    gguf: file + vocabularyBytes(question, vocabulary),
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
  const precise = Math.max(PRECISE_BITS, bitsOf(quantization, shape).vocabulary);
  const head = shape.tied ? embedding * kept : 0;
  return (embedding * (precise - kept) + head) / 8;
}
