import { count } from "../../lib/text/format.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { RowLengths } from "../row_lengths.ts";
import { rowLimit } from "./hosted_spec.ts";
import { type CountText, type Example, loadTokenizer, rowTokens } from "./upload/tokens.ts";

/** UTF-8 takes up to three bytes for what is one unit here, and a token has at least one. */
const MOST_TOKENS_PER_UNIT = 3;

/** Counted as configure counts them. */
export function hostedLengths(loaded: LoadedSpec): Promise<RowLengths> {
  const limit = rowLimit(loaded);
  let counting: Promise<CountText> | undefined;
  return Promise.resolve({
    limit: `${count(limit)} tokens`,
    otherwise: "the service cuts them without an error",
    async judge(line) {
      if (line.length * MOST_TOKENS_PER_UNIT <= limit) return undefined;
      const { tokens } = rowTokens(JSON.parse(line) as Example, await (counting ??= loadTokenizer()));
      return tokens.least <= limit ? undefined : { found: `has ${count(tokens.least)} tokens`, isSure: true };
    },
  });
}
