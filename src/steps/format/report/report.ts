import type { Spec } from "../../../spec/schema/schema.ts";
import type { SourceFile } from "../../extract/source_file.ts";
import type { SetName } from "../../extract/sources.ts";
import type { AccountingSummary } from "./accounting.ts";
import { type CheckName, type CheckResult, CHECKS } from "../checks/findings.ts";
import type { Formatting } from "../formatting.ts";
import type { SetSummary } from "./set_figures.ts";

export type SetReport = SetSummary & { readonly format: string; readonly why: string };

export type SourceReport = SourceFile & {
  readonly used: number;
  readonly unused: number;
  /** How its rows were read, and why so; absent for a file without rows. */
  readonly format?: string;
  readonly why?: string;
};

/** report.json: how the rows were used, and what is wrong with them. */
export type Report = {
  readonly version: 1;
  readonly train: SetReport;
  readonly eval: SetReport | null;
  readonly split: {
    readonly wanted: number;
    readonly seed: number;
    /** The field whose values stay together; null: rows with the same input do. */
    readonly by: string | null;
    readonly held: number;
    readonly share: number;
  } | null;
  readonly sources: readonly SourceReport[];
  readonly checks: { readonly [C in CheckName]: CheckResult };
  /** Fields of the used rows that no example contains. */
  readonly unused: AccountingSummary["unused"];
  /** Further such fields, which are not told one by one. */
  readonly moreUnused: AccountingSummary["more"];
};

export function reportOf(
  { split }: Spec["dataset"],
  sources: readonly SourceFile[],
  { sets, shapes, findings, accounting }: Formatting,
): Report {
  const setReport = (set: SetName): SetReport => {
    const { shape, why } = shapes[set] ?? shapes.train;
    return { format: shape.name, why, ...sets.figures[set].summary() };
  };
  const train = setReport("train");
  const evaluation = shapes.eval || split ? setReport("eval") : null;
  const { unused, more } = accounting.summary();
  const held = evaluation?.rows ?? 0;
  return {
    version: 1,
    train,
    eval: evaluation,
    split: split
      ? {
        wanted: split.eval,
        seed: split.seed,
        by: split.by ?? null,
        held,
        share: held / Math.max(1, held + train.rows),
      }
      : null,
    sources: sources.map((source) => {
      const used = usedOf(source, sets.used, split !== undefined);
      const file = shapes[source.set]?.find(source.path);
      const read = file && { format: file.shape.name, why: file.why };
      return { ...source, used, unused: source.rows - used, ...read };
    }),
    checks: Object.fromEntries(CHECKS.map((check) => [check, findings.result(check)])) as Report["checks"],
    unused,
    moreUnused: more,
  };
}

/** A split puts rows of one source into both sets. */
function usedOf(
  { path, set }: SourceFile,
  used: { readonly [S in SetName]: ReadonlyMap<string, number> },
  isSplit: boolean,
): number {
  if (!isSplit) return used[set].get(path) ?? 0;
  return (used.train.get(path) ?? 0) + (used.eval.get(path) ?? 0);
}
