import { UsageError } from "../../lib/errors.ts";
import { counted } from "../../lib/format.ts";
import { type CheckName, CHECKS } from "./findings.ts";
import type { Report } from "./report.ts";

const SHOWN = 5;

const FOUND: { readonly [C in CheckName]: (count: number) => string } = {
  rows: (n) => `${counted(n, "problem")} in rows that cannot be read as conversations`,
  order: (n) => `${counted(n, "conversation")} with turns out of order`,
  empty: (n) => `${counted(n, "turn")} without text`,
  placeholders: (n) => `${counted(n, "turn")} that ${n === 1 ? "is" : "are"} only a placeholder`,
  markup: (n) =>
    `${counted(n, "text")} with markup of chat templates, which would end or forge turns: ` +
    "strip it, and give turns as format messages",
  quoted_markup: (n) => `${counted(n, "text")} with marks of chat templates that may be quoted`,
  duplicates: (n) => `${counted(n, "repeated conversation")} in train`,
  leakage: (n) => `${counted(n, "row")} of eval whose input train has too`,
};

/** What a check found, in words. */
export function foundText(check: CheckName, count: number): string {
  return FOUND[check](count);
}

/** Throws when a check that stops found something, or when a set is empty. */
export function refuse(report: Report, page: string): void {
  const failing = CHECKS.filter((check) => {
    const { severity, count } = report.checks[check];
    return severity === "error" && count > 0;
  });
  if (failing.length > 0) throw checksFailed(report, failing, page);
  if (report.train.rows === 0) throw emptySet("training", report, page);
  if (report.eval?.rows === 0) throw emptySet("evaluation", report, page);
}

function checksFailed({ checks }: Report, failing: readonly CheckName[], page: string): UsageError {
  const parts = failing.map((check) => {
    const { count, findings } = checks[check];
    const shown = findings.slice(0, SHOWN).map(({ origin, field, problem, excerpt }) =>
      `\n  ${origin}: ${field} ${problem}${excerpt === "" ? "" : `, near ${JSON.stringify(excerpt)}`}`
    );
    const more = count > shown.length ? `\n  and ${count - shown.length} more` : "";
    return `${foundText(check, count)} (dataset.checks.${check})${shown.join("")}${more}`;
  });
  return new UsageError("data-checks", `Cannot use the dataset: ${parts.join("\n")}`, {
    hint: `Mend the rows, or set the check to warn; ${page} shows all of it`,
  });
}

function emptySet(purpose: "training" | "evaluation", { split, sources }: Report, page: string): UsageError {
  const rows = sources.reduce((sum, source) => sum + source.rows, 0);
  if (!split) {
    return new UsageError("dataset-empty", `Cannot use the dataset: no row is left for ${purpose}`, {
      hint: `${page} shows why rows were left out`,
    });
  }
  const by = split.by === null ? "rows with the same input stay" : `rows with the same "${split.by}" stay`;
  return new UsageError(
    "split-empty",
    `Cannot split the dataset: of ${
      counted(rows, "row")
    }, dataset.split.eval = ${split.wanted} leaves none for ${purpose}`,
    { hint: `Hold out another number of rows; ${by} on one side` },
  );
}
