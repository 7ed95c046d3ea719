import { linearParameters, type ModelShape } from "./memory.ts";

type Published = Omit<ModelShape, "parameters">;

/** Shapes of well-known models, from the config.json of each: what models of a size look like. */
const PUBLISHED: readonly (readonly [name: string, shape: Published])[] = [
  ["SmolLM2-135M", shape(30, 576, 1536, 9, 3, 64, 49_152, true)],
  ["SmolLM2-360M", shape(32, 960, 2560, 15, 5, 64, 49_152, true)],
  ["Qwen2.5-0.5B", shape(24, 896, 4864, 14, 2, 64, 151_936, true)],
  ["Llama-3.2-1B", shape(16, 2048, 8192, 32, 8, 64, 128_256, true)],
  ["Qwen2.5-1.5B", shape(28, 1536, 8960, 12, 2, 128, 151_936, true)],
  ["Llama-3.2-3B", shape(28, 3072, 8192, 24, 8, 128, 128_256, true)],
  ["Qwen2.5-7B", shape(28, 3584, 18_944, 28, 4, 128, 152_064, false)],
  ["Llama-3.1-8B", shape(32, 4096, 14_336, 32, 8, 128, 128_256, false)],
  ["Qwen2.5-14B", shape(48, 5120, 13_824, 40, 8, 128, 152_064, false)],
  ["Qwen2.5-32B", shape(64, 5120, 27_648, 40, 8, 128, 152_064, false)],
  ["Llama-3.1-70B", shape(80, 8192, 28_672, 64, 8, 128, 128_256, false)],
];

function shape(
  layers: number,
  hidden: number,
  feedForward: number,
  heads: number,
  kvHeads: number,
  headDim: number,
  vocab: number,
  tied: boolean,
): Published {
  return { layers, hidden, feedForward, heads, kvHeads, headDim, vocab, tied };
}

/** All weights of a model of this shape: embeddings, linear layers and norms, biases left out. */
export function parametersOf(shape: Published): number {
  const { layers, hidden, vocab, tied } = shape;
  return (tied ? 1 : 2) * vocab * hidden + linearParameters({ ...shape, parameters: 0 }) +
    (2 * layers + 1) * hidden;
}

/**
 * The shape that a model of so many parameters is likely to have: the published one that is nearest in size, with as
 * many layers as the number asks for.
 */
export function likelyShape(parameters: number): { readonly shape: ModelShape; readonly like: string } {
  const distance = (shape: Published) => Math.abs(Math.log(parametersOf(shape) / parameters));
  const [like, nearest] = PUBLISHED.reduce((a, b) => distance(b[1]) < distance(a[1]) ? b : a);
  const one = parametersOf({ ...nearest, layers: 1 });
  const layer = parametersOf({ ...nearest, layers: 2 }) - one;
  const layers = Math.max(1, Math.round(1 + (parameters - one) / layer));
  return { shape: { ...nearest, layers, parameters }, like };
}
