import { UsageError } from "../../../lib/errors.ts";
import { linears, type ModelShape } from "../../../plan/memory.ts";
import type { Config } from "./config.ts";
import { BUFFER } from "./safetensors.ts";

export const EMBEDDING = "model.embed_tokens.weight";
export const HEAD = "lm_head.weight";

type Shapes = ReadonlyMap<string, readonly number[]>;
type Found = ReadonlyMap<string, { readonly shape: readonly number[] }>;

const ATTENTION = ["q_proj", "k_proj", "v_proj"];
const NAMED = 3;

/** Says what a llama, qwen2 or qwen3 folder lacks, and returns what is to be said of tensors that it has beside. */
export function checkTensors(base: string, shape: ModelShape, config: Config, found: Found): string[] {
  const wanted = expected(shape, config);
  const missing = [...wanted.keys()].filter((name) => !found.has(name));
  const refuse = (what: string) =>
    new UsageError("base-unreadable", `Cannot use base "${base}": ${what}`, {
      hint: "Compare its files and config.json with those of the original model",
    });
  if (missing.length > 0) {
    const more = missing.length === 1 ? "" : ` (${missing.length} of ${wanted.size})`;
    const other = missing.length === wanted.size
      ? `; it holds others, such as "${[...found.keys()][0]}"`
      : "";
    throw refuse(`tensor "${missing[0]}" is missing${more}${other}`);
  }
  for (const [name, size] of wanted) {
    const own = found.get(name)!.shape;
    if (own.join() === size.join()) continue;
    throw refuse(`tensor "${name}" has the shape ${own.join(" × ")}, config.json says ${size.join(" × ")}`);
  }
  return unknown(base, [...found.keys()].filter((name) => !wanted.has(name) && name !== HEAD));
}

/** The tensors that transformers loads for such a config.json. The head is one where it is not the embedding. */
function expected(shape: ModelShape, config: Config): Shapes {
  const { hidden, vocab, layers, headDim } = shape;
  const qwen3 = config["model_type"] === "qwen3";
  const biased = biases(config);
  const tensors = new Map<string, readonly number[]>([[EMBEDDING, [vocab, hidden]], ["model.norm.weight", [
    hidden,
  ]]]);
  if (!shape.tied) tensors.set(HEAD, [vocab, hidden]);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    tensors.set(`${at}.input_layernorm.weight`, [hidden]).set(`${at}.post_attention_layernorm.weight`, [
      hidden,
    ]);
    for (const [name, [inputs, outputs]] of Object.entries(linears(shape))) {
      const part = `${at}.${/^(gate|up|down)/.test(name) ? "mlp" : "self_attn"}.${name}`;
      tensors.set(`${part}.weight`, [outputs, inputs]);
      if (biased.includes(name)) tensors.set(`${part}.bias`, [outputs]);
    }
    if (!qwen3) continue;
    tensors.set(`${at}.self_attn.q_norm.weight`, [headDim]).set(`${at}.self_attn.k_norm.weight`, [headDim]);
  }
  return tensors;
}

function biases(config: Config): string[] {
  if (config["model_type"] === "qwen2") return ATTENTION;
  return [
    ...config["attention_bias"] ? [...ATTENTION, "o_proj"] : [],
    ...config["model_type"] === "llama" && config["mlp_bias"] ? ["gate_proj", "up_proj", "down_proj"] : [],
  ];
}

/** transformers leaves them out without a word. */
function unknown(base: string, names: readonly string[]): string[] {
  const others = names.filter((name) => !BUFFER.test(name));
  if (others.length === 0) return [];
  const listed = others.slice(0, NAMED).map((name) => `"${name}"`).join(", ");
  const more = others.length > NAMED ? ", …" : "";
  const verb = others.length === 1 ? "tensor is" : "tensors are";
  return [
    `${others.length} ${verb} not part of the model that config.json of "${base}" describes, ` +
    `and left out: ${listed}${more}`,
  ];
}
