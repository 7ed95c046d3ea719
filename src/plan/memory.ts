import type { Spec } from "../spec/schema/schema.ts";

/** What an estimate needs to know of a decoder-only transformer. Counts, not bytes. */
export interface ModelShape {
  readonly layers: number;
  readonly hidden: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
  readonly tied: boolean;
  readonly parameters: number;
}

/** Bytes, by what they are for. */
export interface MemoryEstimate {
  readonly weights: number;
  readonly trainable: number;
  readonly activations: number;
  readonly logits: number;
  readonly runtime: number;
  readonly total: number;
}

export interface MemoryQuestion {
  readonly shape: ModelShape;
  readonly method: Spec["method"];
  /** Bytes of a weight and of what it computes while training: 4 (fp32) or 2 (bf16). */
  readonly weightBytes: number;
  /** Tokens computed at once. */
  readonly microTokens: number;
  /** Of these, tokens with a label: only they meet the language-model head. */
  readonly labelledTokens: number;
}

/** Interpreter, torch, transformers and peft before any weight is loaded: what bench/estimate.ts finds on Linux. */
const RUNTIME_BYTES = 930e6;
/** Weight, gradient and two AdamW moments in fp32. */
export const TRAINED_BYTES = 16;
/** NF4 with double quantisation: 4 bits and, for each 64 weights, 8 bits of scale, themselves in groups of 256. */
export const NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / 8;

/** The head's logits exist for so many bytes of positions at a time (trainer/temper_trainer/training/head.py). */
const LOGITS_BYTES = 64 * 2 ** 20;

/** Linear layers of one block as [inputs, outputs], by their names in Hugging Face's models. */
export function linears(shape: ModelShape): Record<string, readonly [number, number]> {
  const q = shape.heads * shape.headDim;
  const kv = shape.kvHeads * shape.headDim;
  return {
    q_proj: [shape.hidden, q],
    k_proj: [shape.hidden, kv],
    v_proj: [shape.hidden, kv],
    o_proj: [q, shape.hidden],
    gate_proj: [shape.hidden, shape.feedForward],
    up_proj: [shape.hidden, shape.feedForward],
    down_proj: [shape.feedForward, shape.hidden],
  };
}

const ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"];

type LowRank = Extract<Spec["method"], { kind: "lora" | "qlora" }>;

/** The layers that a low-rank method updates, by name. Names that the base does not have are left out. */
export function targeted(method: LowRank, shape: ModelShape): [string, readonly [number, number]][] {
  const { target } = method;
  const wanted = target === "all-linear" ? undefined : target === "attention" ? ATTENTION : target;
  return Object.entries(linears(shape)).filter(([name]) => wanted === undefined || wanted.includes(name));
}

/** Weights of the base beside which a low-rank method puts its updates. */
export function targetedParameters(method: LowRank, shape: ModelShape): number {
  return shape.layers * targeted(method, shape).reduce((sum, [, [from, to]]) => sum + from * to, 0);
}

/** How many numbers a method trains on a base of this shape. */
export function trainableParameters(method: Spec["method"], shape: ModelShape): number {
  switch (method.kind) {
    case "full":
      return shape.parameters;
    case "lora":
    case "qlora":
      return shape.layers *
        targeted(method, shape).reduce((sum, [, [from, to]]) => sum + method.rank * (from + to), 0);
    case "prefix":
      return method.placement === "input"
        ? method.length * shape.hidden
        : method.length * shape.layers * 2 * shape.kvHeads * shape.headDim;
    case "adapter":
      return shape.layers * 3 * method.size * shape.hidden;
  }
}

/**
 * Peak memory of training, in bytes. Activations are what autograd keeps of one micro-batch: in each block the
 * inputs of norms, linears, attention and activation, and for LoRA the dropped-out input of each target.
 */
export function estimateMemory(question: MemoryQuestion): MemoryEstimate {
  const { shape, method, microTokens, labelledTokens, weightBytes } = question;
  const q = shape.heads * shape.headDim;
  const kv = shape.kvHeads * shape.headDim;
  const block = 6 * shape.hidden + 3 * (q + 2 * kv) + 4 * shape.feedForward;
  const kept = method.kind === "lora" || method.kind === "qlora" ? loraInputs(method, shape) : 0;
  const weights = heldBytes(method, shape, weightBytes);
  const trainable = trainableParameters(method, shape) * TRAINED_BYTES;
  const activations = microTokens * shape.layers * (block + kept) * weightBytes;
  const row = shape.vocab * 4;
  const logits = 3 * Math.min(labelledTokens * row, Math.max(row, LOGITS_BYTES));
  return {
    weights,
    trainable,
    activations,
    logits,
    runtime: RUNTIME_BYTES,
    total: weights + trainable + activations + logits + RUNTIME_BYTES,
  };
}

/** Of the base's weights. Those that are trained themselves count as trained. */
function heldBytes(method: Spec["method"], shape: ModelShape, weightBytes: number): number {
  if (method.kind === "full") return 0;
  const packed = method.kind === "qlora" ? linearParameters(shape) : 0;
  return packed * NF4_BYTES + (shape.parameters - packed) * weightBytes;
}

/** Weights of the linear layers, or of those with these names, the language-model head left out. */
export function linearParameters(shape: ModelShape, names?: readonly string[]): number {
  const chosen = Object.entries(linears(shape)).filter(([name]) => names?.includes(name) ?? true);
  return shape.layers * chosen.reduce((sum, [, [from, to]]) => sum + from * to, 0);
}

function loraInputs(method: LowRank, shape: ModelShape): number {
  if (method.dropout === 0) return 0;
  return targeted(method, shape).reduce((sum, [, [inputs]]) => sum + inputs, 0);
}
