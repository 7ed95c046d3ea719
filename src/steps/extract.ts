import { digestOf } from "../lib/files/digest_memo.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { readingOf, resolveSources, type Source, unreadable } from "./extract/sources.ts";
import type { Step } from "./step.ts";

/** Brings the rows of all sources into one form, each with the place it came from. */
export const extract: Step = {
  kind: "extract",
  // 2: quotes of .tsv are text; keys that are given twice are refused.
  version: 2,
  cached: true,
  async inputs(loaded, env) {
    const sources = await resolveSources(loaded, env.fs);
    const digests: string[] = [];
    for (const source of sources) {
      digests.push(
        await digestOf(source.path, env.fs, env.cacheDir).catch((error) => {
          throw unreadable(error, source);
        }),
      );
    }
    return inputsOf(sources, digests);
  },
  // Loaded when it runs: `check` and `plan` only ask for the inputs.
  run: async (context) => await (await import("./extract/run_extract.ts")).runExtract(context),
};

/** A source's label is part of every origin that is written, so it is part of the key; its folder is not. */
function inputsOf(sources: readonly Source[], digests: readonly string[]): JsonObject {
  return {
    sources: sources.map((source, i) => {
      const { set, label } = source;
      return { set, label, sha256: digests[i] as string, ...readingOf(source) };
    }),
  };
}
