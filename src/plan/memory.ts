import type { Spec } from "../spec/schema.ts";

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
  /** Bytes of a weight while training: 4 (fp32) or 2 (bf16). */
  readonly weightBytes: number;
  /** Tokens computed at once. */
  readonly microTokens: number;
  /** Of these, tokens with a label: only they meet the language-model head. */
  readonly labelledTokens: number;
}

/** Interpreter, torch and its thread pools before any weight is loaded: measured, see bench/estimate. */
const RUNTIME_BYTES = 550e6;
/** Weight, gradient and two AdamW moments in fp32. */
export const TRAINED_BYTES = 16;
/** NF4 with double quantisation: 4 bits and, for each 64 weights, 8 bits of scale, themselves in groups of 256. */
export const NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / 8;

/** Linear layers of one block as [inputs, outputs]. */
function linears(shape: ModelShape): Record<string, readonly [number, number]> {
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

function targets(method: Extract<Spec["method"], { kind: "lora" | "qlora" }>): readonly string[] | undefined {
  if (method.target === "all-linear") return undefined;
  return method.target === "attention" ? ATTENTION : method.target;
}

/** How many numbers a method trains on a base of this shape. */
export function trainableParameters(method: Spec["method"], shape: ModelShape): number {
  switch (method.kind) {
    case "full":
      return shape.parameters;
    case "lora":
    case "qlora": {
      const wanted = targets(method);
      return shape.layers * Object.entries(linears(shape))
        .filter(([name]) => wanted === undefined || wanted.includes(name))
        .reduce((sum, [, [inputs, outputs]]) => sum + method.rank * (inputs + outputs), 0);
    }
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
  const activations = microTokens * shape.layers * (block + kept) * 4;
  const logits = labelledTokens * shape.vocab * 4 * 3;
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

/** Weights of the linear layers, the language-model head left out. */
export function linearParameters(shape: ModelShape): number {
  return shape.layers * Object.values(linears(shape)).reduce((sum, [from, to]) => sum + from * to, 0);
}

function loraInputs(method: Extract<Spec["method"], { kind: "lora" | "qlora" }>, shape: ModelShape): number {
  if (method.dropout === 0) return 0;
  const wanted = targets(method);
  return Object.entries(linears(shape))
    .filter(([name]) => wanted === undefined || wanted.includes(name))
    .reduce((sum, [, [inputs]]) => sum + inputs, 0);
}
