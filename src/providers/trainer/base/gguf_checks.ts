import { UsageError } from "../../../lib/errors.ts";
import {
  type Architecture,
  architectureOfGguf,
  LISTING,
  SUPPORTED_HINT,
  tensorsOf,
} from "./architectures.ts";
import { PRE_TOKENIZER_NAMES } from "./pretokenizers.ts";

/** What the checks ask of a GGUF header. */
export interface GgufFacts {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlySet<string>;
}

/** The architecture of a GGUF base, where the trainer can read the whole of it (gguf/config.py says the same). */
export function supportedGguf(base: string, { metadata, tensors }: GgufFacts): Architecture {
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
  if (kind !== "model") throw refuse(`its general.type is "${kind}", not "model"`);
  const name = `${metadata["general.architecture"] ?? ""}`;
  const arch = architectureOfGguf(name);
  if (!arch) throw refuse(`its architecture is "${name}"`, SUPPORTED_HINT);
  const found = unlike(arch, metadata, tensors) ?? unreadable(metadata);
  if (found === undefined) return arch;
  throw refuse(found, "Use the model's Hugging Face folder instead");
}

/** Compares the tensors of a file with those of its architecture. */
export function checkGgufTensors(
  base: string,
  arch: Architecture,
  layers: number,
  tensors: ReadonlySet<string>,
) {
  const wanted = expected(arch, layers, tensors);
  const missing = wanted.filter((name) => !tensors.has(name)).sort();
  const known = new Set([...wanted, LISTING.rope.factors]);
  const extra = [...tensors].filter((name) => !known.has(name)).sort();
  const found = missing.length > 0
    ? `tensor "${missing[0]}" is missing (${missing.length} in all)`
    : extra.length > 0
    ? `tensor "${extra[0]}" is unknown for ${arch.gguf} (${extra.length} in all)`
    : undefined;
  if (found === undefined) return;
  throw new UsageError("base-unsupported", `Cannot train base "${base}": ${found}`, {
    hint: "Compare the file with the original model",
  });
}

function unlike(
  arch: Architecture,
  metadata: GgufFacts["metadata"],
  tensors: ReadonlySet<string>,
): string | undefined {
  for (const [key, neutral] of Object.entries(arch.neutral_metadata)) {
    const value = metadata[`${arch.gguf}.${key}`];
    if (value === undefined || neutral.includes(plain(value))) continue;
    return `its metadata "${arch.gguf}.${key}" is ${value}, which training does not support`;
  }
  const scaling = metadata[`${arch.gguf}.rope.scaling.type`] ?? "linear";
  if (tensors.has(LISTING.rope.factors) || LISTING.rope.gguf_scalings.includes(`${scaling}`)) {
    return undefined;
  }
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
function expected(arch: Architecture, layers: number, tensors: ReadonlySet<string>): string[] {
  const biased = (key: string) =>
    arch.parts.some(({ gguf, bias }) => bias === key && tensors.has(`blk.0.${gguf}.bias`));
  return [...tensorsOf(arch, "gguf", { layers, tied: !tensors.has("output.weight") }, biased).keys()];
}

function number(metadata: GgufFacts["metadata"], key: string): number | undefined {
  const value = metadata[key];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}

function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
