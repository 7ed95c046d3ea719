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
  /** All of these: what the device must have. */
  readonly needed: number;
  /** The peak: more where pages of the base's file are in memory while it is loaded, which the system may drop. */
  readonly total: number;
}

export interface MemoryQuestion {
  readonly shape: ModelShape;
  readonly method: Spec["method"];
  /** Bytes of a weight and of what it computes while training: 4 (fp32) or 2 (bf16, fp16). */
  readonly weightBytes: number;
  /** Bytes of a weight in the prepared base's file: 4, or 2 where it holds halves. @default 4 */
  readonly storedBytes?: number | undefined;
  /** Tokens computed at once. */
  readonly microTokens: number;
  /** Of these, tokens with a label: only they meet the language-model head. */
  readonly labelledTokens: number;
  /** Whether the memory is a GPU's own: the process and the file being loaded are then not in it. @default false */
  readonly gpu?: boolean;
  /** Whether each layer's activations are computed again on the way back. @default false */
  readonly checkpointing?: boolean;
  /** @default adamw */
  readonly optimizer?: Spec["train"]["optimizer"];
  /** How the training is spread over devices; the estimate is for each of them. @default one device */
  readonly spread?: Spread | undefined;
}

/** ddp: the whole model on each device. fsdp: each holds a part of it and gathers one layer at a time. */
export interface Spread {
  readonly parallel: "ddp" | "fsdp";
  readonly workers: number;
}

/** Interpreter, torch, transformers and peft before any weight is loaded: what bench/estimate.ts finds on Linux. */
const RUNTIME_BYTES = 900e6;
/** Weight, gradient and two AdamW moments in fp32. */
export const TRAINED_BYTES = 16;
const GRADIENT_BYTES = 4;
/** What both moments in 8 bits save of these: 8 bytes, but for a byte each and a scale for 256. */
const SAVED_BY_8_BITS = 8 - 2 * (1 + 4 / 256);
/** NF4 with double quantisation: 4 bits and, for each 64 weights, 8 bits of scale, themselves in groups of 256. */
export const NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / 8;
/** What allocators lose between blocks of different size. */
const FRAGMENTATION = 1.05;

/** The head's logits exist for so many bytes of positions at a time (trainer/temper_trainer/training/costs.py). */
const LOGITS_BYTES = { cpu: 64 * 2 ** 20, gpu: 512 * 2 ** 20 };

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

/** Layers that read what another one reads. */
const SHARED_INPUT = new Map([["k_proj", "q_proj"], ["v_proj", "q_proj"], ["up_proj", "gate_proj"]]);

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

/** Peak memory of a device while it trains, in bytes. */
export function estimateMemory(question: MemoryQuestion): MemoryEstimate {
  const { shape, method, weightBytes, microTokens, gpu = false } = question;
  const { weights, trainable } = modelBytes(question, heldBytes(method, shape, weightBytes));
  const activations = microTokens * FRAGMENTATION * activationBytes(question);
  const logits = logitsBytes(question);
  const runtime = gpu ? 0 : RUNTIME_BYTES;
  const needed = weights + trainable + activations + logits + runtime;
  return {
    weights,
    trainable,
    activations,
    logits,
    runtime,
    needed,
    total: Math.max(needed, gpu ? 0 : runtime + loadingBytes(question)),
  };
}

/**
 * What a device holds of the model at all times. Under fsdp every layer is divided, one at a time is whole, and what
 * stands outside the layers is whole on each device (trainer/temper_trainer/training/parallel.py).
 */
function modelBytes(question: MemoryQuestion, held: number): { weights: number; trainable: number } {
  const { shape, method, weightBytes, spread } = question;
  const trained = trainedBytes(question);
  const numbers = trainableParameters(method, shape);
  if (spread?.parallel === "ddp") return { weights: held, trainable: trained + numbers * GRADIENT_BYTES };
  if (spread === undefined) return { weights: held, trainable: trained };
  const outside = Math.min(1, (shape.tied ? 1 : 2) * shape.vocab * shape.hidden / shape.parameters);
  const divided = (whole: number, ofLayers: number) => whole - ofLayers + ofLayers / spread.workers;
  if (method.kind === "full") {
    const layer = shape.parameters * (1 - outside) / shape.layers * (4 + GRADIENT_BYTES);
    return { weights: layer, trainable: divided(trained, trained * (1 - outside)) };
  }
  const layers = held - outside * shape.parameters * weightBytes;
  return { weights: divided(held, layers) + layers / shape.layers, trainable: trained };
}

/** What is trained, with its gradients and moments. Moments of embeddings stay in fp32. */
export function trainedBytes(
  { method, shape, optimizer }: Pick<MemoryQuestion, "method" | "shape" | "optimizer">,
): number {
  const numbers = trainableParameters(method, shape);
  const small = optimizer === "adamw_8bit" ? Math.max(0, numbers - shape.vocab * shape.hidden) : 0;
  return numbers * TRAINED_BYTES - small * SAVED_BY_8_BITS;
}

/** Of the base's weights. Those that are trained themselves count as trained. */
function heldBytes(method: Spec["method"], shape: ModelShape, weightBytes: number): number {
  if (method.kind === "full") return 0;
  const packed = method.kind === "qlora" ? linearParameters(shape) : 0;
  return packed * NF4_BYTES + (shape.parameters - packed) * weightBytes;
}

/** While the base is loaded, the pages of its file count too, unless they become the weights as they are. */
function loadingBytes({ shape, method, weightBytes, storedBytes = 4 }: MemoryQuestion): number {
  if (method.kind === "qlora") return 0;
  const held = shape.parameters * (method.kind === "full" ? 4 : weightBytes);
  return held + (method.kind !== "full" && storedBytes === weightBytes ? 0 : shape.parameters * storedBytes);
}

/** Bytes for each token that is computed at once: what the layers keep, and what the way back works on. */
function activationBytes(question: MemoryQuestion): number {
  const { shape, weightBytes, checkpointing = false } = question;
  const layer = Object.values(keptByLayer(question)).reduce((sum, bytes) => sum + bytes, 0);
  const kept = checkpointing ? shape.layers * shape.hidden * weightBytes + layer : shape.layers * layer;
  const wayBack = (6 * shape.feedForward + 6 * shape.hidden) * weightBytes;
  return kept + wayBack;
}

/**
 * Bytes that autograd keeps of one token in one decoder layer, by what keeps them: `save_for_backward` of
 * trainer/temper_trainer/training/fused/functions.py, and the attention of training/packing.py. A change there of what
 * is kept is a change here and in training/costs.py; tests/fixtures/training_costs.json belongs to both.
 */
function keptByLayer({ shape, method, weightBytes, gpu = false }: MemoryQuestion) {
  const q = shape.heads * shape.headDim;
  const kv = shape.kvHeads * shape.headDim;
  // The kernel for rows of any length, which GPUs have for halves, reads keys and values as they are.
  const repeated = gpu && weightBytes < 4 ? 0 : 2 * q;
  return {
    // What enters the layer and what enters its MLP; in fp32 where the weights are.
    states: 2 * shape.hidden * (method.kind === "full" ? 4 : weightBytes),
    heads: (q + 2 * kv + repeated) * weightBytes,
    attended: q * weightBytes,
    gateUp: 2 * shape.feedForward * weightBytes,
    update: updateBytes(method, shape, weightBytes),
  };
}

/** What the trained part itself keeps. Products of one input share a dropout mask, a byte for each value. */
function updateBytes(method: Spec["method"], shape: ModelShape, weightBytes: number): number {
  if (method.kind === "adapter") return 2 * method.size * weightBytes;
  if (method.kind !== "lora" && method.kind !== "qlora") return 0;
  const layers = targeted(method, shape);
  const input = (name: string) => SHARED_INPUT.get(name) ?? name;
  const inputs = new Map(layers.map(([name, [inputs]]) => [input(name), inputs]));
  const masks = method.dropout === 0 ? 0 : [...inputs.values()].reduce((sum, inputs) => sum + inputs, 0);
  return masks + layers.length * method.rank * weightBytes;
}

/** Logits of some positions at a time, and the gradient of a head that is trained. */
function logitsBytes({ shape, method, labelledTokens, gpu = false }: MemoryQuestion): number {
  const row = shape.vocab * 4;
  const trained = method.kind === "full" ? shape.vocab * shape.hidden * 4 : 0;
  return 3 * Math.min(labelledTokens * row, Math.max(row, LOGITS_BYTES[gpu ? "gpu" : "cpu"])) + trained;
}

/** Weights of the linear layers, or of those with these names, the language-model head left out. */
export function linearParameters(shape: ModelShape, names?: readonly string[]): number {
  const chosen = Object.entries(linears(shape)).filter(([name]) => names?.includes(name) ?? true);
  return shape.layers * chosen.reduce((sum, [, [from, to]]) => sum + from * to, 0);
}
