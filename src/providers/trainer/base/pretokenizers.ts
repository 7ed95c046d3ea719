import type { Config } from "./config.ts";

/** As trainer/temper_trainer/gguf/pretokenizers.py has them; a test of the trainer compares. */
const CONTRACTIONS = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const REST = String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const LLAMA3 = CONTRACTIONS + String.raw`|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}` + REST;
const QWEN2 = CONTRACTIONS + String.raw`|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}` + REST;
const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)`;
const UNNAMED = [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, String.raw`\p{N}+`, "[0-9][0-9][0-9]"];

type Part = readonly [kind: "split" | "digits" | "bytes", option: string];

interface Family {
  /** As in `tokenizer.ggml.pre`. */
  readonly names: readonly string[];
  readonly parts: readonly Part[];
  readonly ignoreMerges?: boolean;
}

const FAMILIES: readonly Family[] = [
  {
    names: ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
    parts: [["split", LLAMA3], ["bytes", "plain"]],
    ignoreMerges: true,
  },
  { names: ["smaug-bpe", "dbrx"], parts: [["split", LLAMA3], ["bytes", "plain"]] },
  {
    names: ["qwen2", "deepseek-r1-qwen", "stablelm2", "megrez"],
    parts: [["split", QWEN2], ["bytes", "plain"]],
  },
  {
    names: ["smollm", "starcoder", "refact", "command-r", "codeshell"],
    parts: [["digits", "each"], ["bytes", "words"]],
  },
  { names: ["gpt-2", "mpt", "olmo", "phi-2", "jina-es", "jina-de"], parts: [["bytes", "words"]] },
  {
    names: ["default"],
    parts: [...UNNAMED.map((pattern): Part => ["split", pattern]), ["bytes", "plain"]],
  },
];

export const PRE_TOKENIZER_NAMES: readonly string[] = FAMILIES.flatMap(({ names }) => names);

/** Whether llama.cpp knows the pre-tokenizer of a parsed tokenizer.json by some name. */
export function hasKnownPreTokenizer(tokenizer: Config): boolean {
  const parts = partsOf(tokenizer["pre_tokenizer"] as Config | null | undefined);
  const ignores = Boolean((tokenizer["model"] as Config)["ignore_merges"]);
  const wanted = JSON.stringify(parts);
  return FAMILIES.some((family) =>
    JSON.stringify(family.parts) === wanted && (family.ignoreMerges ?? false) === ignores
  );
}

/** `undefined` for anything that is not made of such parts. */
function partsOf(found: Config | null | undefined): Part[] | undefined {
  if (!found) return undefined;
  if (found["type"] === "Sequence") {
    const nested = (found["pretokenizers"] as Config[]).map(partsOf);
    return nested.includes(undefined) ? undefined : nested.flatMap((parts) => parts!);
  }
  if (found["type"] === "Split" && found["behavior"] === "Isolated" && !found["invert"]) {
    const pattern = (found["pattern"] as Config)["Regex"];
    return typeof pattern === "string" ? [["split", pattern]] : undefined;
  }
  if (found["type"] === "Digits" && found["individual_digits"]) return [["digits", "each"]];
  if (found["type"] === "ByteLevel" && !found["add_prefix_space"]) {
    return [["bytes", found["use_regex"] ?? true ? "words" : "plain"]];
  }
  return undefined;
}
