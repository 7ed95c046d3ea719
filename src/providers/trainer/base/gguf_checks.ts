import { UsageError } from "../../../lib/errors.ts";
import { isSupported, SUPPORTED_HINT } from "./base.ts";
import { PRE_TOKENIZER_NAMES } from "./pretokenizers.ts";

/** What the checks ask of a GGUF header. */
export interface GgufFacts {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlySet<string>;
}

/** Metadata under which llama.cpp computes something else, with the values that leave the model as it is. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  "expert_count": [0],
  "attention.sliding_window": [0],
  "attention.scale": [0],
  "attention.clamp_kqv": [0],
  "attention.causal": [true],
  "logit_scale": [0, 1],
  "residual_scale": [0, 1],
  "embedding_scale": [0, 1],
  "pooling_type": [0],
  "rope.scaling.attn_factor": [1],
  "rope.scaling.yarn_log_multiplier": [0],
};
const SCALINGS = ["none", "linear", "yarn"];
const FACTORS = "rope_freqs.weight";

/** The architecture of a GGUF base, where the trainer can read the whole of it (gguf/config.py says the same). */
export function supportedGguf(base: string, { metadata, tensors }: GgufFacts): string {
  const refuse = (found: string, hint?: string) =>
    new UsageError("base-unsupported", `Cannot train base "${base}": ${found}`, hint ? { hint } : {});
  const parts = number(metadata, "split.count") ?? 0;
  if (parts > 1) {
    const part = (number(metadata, "split.no") ?? 0) + 1;
    throw refuse(
      `it is part ${part} of ${parts} of a split model`,
      "Join the parts: llama-gguf-split --merge FIRST_PART.gguf joined.gguf",
    );
  }
  const kind = metadata["general.type"] ?? "model";
  if (kind !== "model") throw refuse(`it holds a "${kind}", not a whole model`);
  const arch = `${metadata["general.architecture"] ?? ""}`;
  if (!isSupported(arch)) throw refuse(`its architecture is "${arch}"`, SUPPORTED_HINT);
  const found = unlike(arch, metadata, tensors) ?? unreadable(metadata);
  if (found === undefined) return arch;
  throw refuse(found, "Name the Hugging Face folder of the model instead");
}

/** Compares the tensors of a file with those of its architecture. */
export function checkGgufTensors(base: string, arch: string, layers: number, tensors: ReadonlySet<string>) {
  const wanted = expected(arch, layers, tensors);
  const missing = wanted.filter((name) => !tensors.has(name)).sort();
  const known = new Set([...wanted, FACTORS]);
  const extra = [...tensors].filter((name) => !known.has(name)).sort();
  const found = missing.length > 0
    ? `tensor "${missing[0]}" is missing (${missing.length} in all)`
    : extra.length > 0
    ? `tensor "${extra[0]}" is unknown for ${arch} (${extra.length} in all)`
    : undefined;
  if (found === undefined) return;
  throw new UsageError("base-unsupported", `Cannot train base "${base}": ${found}`, {
    hint: "Compare the file with the original model's",
  });
}

function unlike(
  arch: string,
  metadata: GgufFacts["metadata"],
  tensors: ReadonlySet<string>,
): string | undefined {
  for (const [key, neutral] of Object.entries(NEUTRAL)) {
    const value = metadata[`${arch}.${key}`];
    if (value === undefined || neutral.includes(plain(value))) continue;
    return `its metadata "${arch}.${key}" is ${value}, which training does not reproduce`;
  }
  const scaling = metadata[`${arch}.rope.scaling.type`] ?? "linear";
  if (tensors.has(FACTORS) || SCALINGS.includes(`${scaling}`)) return undefined;
  return `its rotary scaling "${scaling}" is not one of linear, yarn, llama3`;
}

function unreadable(metadata: GgufFacts["metadata"]): string | undefined {
  const model = metadata["tokenizer.ggml.model"];
  if (model === undefined) return "it has no tokenizer";
  if (model !== "gpt2" && model !== "llama") {
    return `its tokenizer "${model}" is neither byte-level BPE (gpt2) nor SentencePiece (llama)`;
  }
  const pre = metadata["tokenizer.ggml.pre"] ?? "default";
  if (model === "llama" || PRE_TOKENIZER_NAMES.includes(`${pre}`)) return undefined;
  return `its pre-tokenizer "${pre}" is not one of ${PRE_TOKENIZER_NAMES.join(", ")}`;
}

/** Biases and a head are part of the model where the file has them. */
function expected(arch: string, layers: number, tensors: ReadonlySet<string>): string[] {
  const attention = arch === "qwen2" || tensors.has("blk.0.attn_q.bias");
  const output = arch !== "qwen2" && attention;
  const mlp = arch === "llama" && tensors.has("blk.0.ffn_up.bias");
  const parts: [name: string, biased: boolean][] = [
    ["attn_norm", false],
    ["attn_q", attention],
    ["attn_k", attention],
    ["attn_v", attention],
    ["attn_output", output],
    ...arch === "qwen3" ? [["attn_q_norm", false], ["attn_k_norm", false]] as [string, boolean][] : [],
    ["ffn_norm", false],
    ["ffn_gate", mlp],
    ["ffn_up", mlp],
    ["ffn_down", mlp],
  ];
  const layer = (at: number) =>
    parts.flatMap(([name, biased]) =>
      [`blk.${at}.${name}.weight`].concat(biased ? [`blk.${at}.${name}.bias`] : [])
    );
  const head = tensors.has("output.weight") ? ["output.weight"] : [];
  return [
    "token_embd.weight",
    "output_norm.weight",
    ...head,
    ...Array.from({ length: layers }, (_, at) => layer(at)).flat(),
  ];
}

function number(metadata: GgufFacts["metadata"], key: string): number | undefined {
  const value = metadata[key];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
