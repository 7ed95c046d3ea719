import type { FieldProblem } from "./field_problem.ts";
import { type Path, valueAt } from "../yaml/path.ts";
import { found } from "../schema/value_text.ts";

interface Unsupported {
  readonly path: Path;
  readonly at: FieldProblem["at"];
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
    instead: "use files: .jsonl, .json, .csv, .tsv",
  },
  {
    path: ["engine", "shared"],
    at: "value",
    meets: (value) => value === false,
    instead: "put the runs and temper's cache (TEMPER_CACHE) on a folder that all nodes share",
  },
];

export function unsupported(data: unknown): FieldProblem[] {
  return TABLE.filter(({ path, meets }) => meets(valueAt(data, path))).map(({ path, at, instead }) => {
    const value = valueAt(data, path);
    const what = at === "key" ? "" : ` ${found(value)}`;
    return {
      path,
      at,
      message: `Not supported yet: ${path.join(".")}${what}`,
      hint: instead,
    };
  });
}
