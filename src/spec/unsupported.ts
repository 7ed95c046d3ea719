import type { Finding } from "./finding.ts";
import { type Path, valueAt } from "./path.ts";
import { found } from "./words.ts";

interface Unsupported {
  readonly path: Path;
  readonly at: Finding["at"];
  /** Whether the value is one that temper does not carry out yet. */
  readonly meets: (value: unknown) => boolean;
  /** What works instead. */
  readonly instead: string;
}

/** Fields and values that the file format has and this version refuses, so that none is ignored in silence. */
const TABLE: readonly Unsupported[] = [
  {
    path: ["dataset", "source", "sql"],
    at: "key",
    meets: (value) => value !== undefined,
    instead: "this version reads files: .jsonl, .json, .csv, .tsv",
  },
];

export function unsupported(data: unknown): Finding[] {
  return TABLE.filter(({ path, meets }) => meets(valueAt(data, path))).map(({ path, at, instead }) => {
    const value = valueAt(data, path);
    const what = at === "key" ? "" : ` ${found(value)}`;
    return {
      path,
      at,
      message: `Not available yet: ${path.join(".")}${what} comes with a later version`,
      hint: instead,
    };
  });
}
