import { LISTING } from "./architectures.ts";
import type { Config } from "./config.ts";

type Part = readonly [kind: string, option: string];

export const PRE_TOKENIZER_NAMES: readonly string[] = LISTING.pretokenizers.flatMap(({ names }) => names);

/** Whether llama.cpp knows the pre-tokenizer of a parsed tokenizer.json by some name. */
export function hasKnownPreTokenizer(tokenizer: Config): boolean {
  const parts = partsOf(tokenizer["pre_tokenizer"] as Config | null | undefined);
  const ignores = Boolean((tokenizer["model"] as Config)["ignore_merges"]);
  const wanted = JSON.stringify(parts);
  return LISTING.pretokenizers.some(({ parts, ignore_merges }) =>
    JSON.stringify(parts) === wanted && ignore_merges === ignores
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
