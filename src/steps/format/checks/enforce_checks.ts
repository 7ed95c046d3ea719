import { UsageError } from "../../../lib/errors.ts";
import { counted } from "../../../lib/text/format.ts";
import { foundText } from "../../../pages/check_text.ts";
import { sourceOf } from "../example.ts";
import { type CheckName, CHECKS, type Finding } from "./findings.ts";
import type { Report, SourceReport } from "../report/report.ts";

const SHOWN = 5;

/**
 * Throws when a check that stops found something, when a set is empty, or when a source is lost as a whole.
 * `firsts`: of each file the first row that cannot be read. `page`: where the report is.
 */
export function enforceChecks(report: Report, firsts: readonly Finding[], page: string): void {
  const failing = CHECKS.filter((check) => {
    const { severity, count } = report.checks[check];
    return severity === "error" && count > 0;
  });
  if (failing.length > 0) throw checksFailed(report, failing, page);
  const usable = report.train.rows + (report.split ? report.eval?.rows ?? 0 : 0);
  if (usable === 0) throw emptySet("training", report, page);
  if (report.split && report.split.wanted >= usable) throw splitTooLarge(report.split.wanted, usable, report);
  if (report.train.rows === 0) throw splitEmpty("training", report);
  if (report.eval?.rows === 0) {
    throw report.split ? splitEmpty("evaluation", report) : emptySet("evaluation", report, page);
  }
  const lost = lostSources(report);
  if (lost.length > 0) throw sourcesLost(lost, firsts, page);
}

/** Files of which no row can be read: no setting of a check is meant to leave out a whole file. */
function lostSources({ sources }: Report): SourceReport[] {
  return sources.filter(({ rows, used }) => rows > 0 && used === 0);
}

function checksFailed(report: Report, failing: readonly CheckName[], page: string): UsageError {
  const parts = failing.map((check) => {
    const { count } = report.checks[check];
    return `${foundText(check, count)} (dataset.checks.${check})${examples(check, report)}`;
  });
  return new UsageError("data-checks", `Cannot use the dataset: ${parts.join("\n")}`, {
    hint: `${wayOut(report, failing)}; ${page} lists every problem${strangers(report)}`,
  });
}

/** Who speaks under names that mean nothing, and how the pipeline file says what they mean. */
function strangers({ checks }: Report): string {
  const names = checks.rows.findings.flatMap(({ problem }) =>
    /^is ("(?:[^"\\]|\\.)+"), which is none of/.exec(problem)?.[1] ?? []
  );
  const different = [...new Set(names)];
  return different.length === 0
    ? ""
    : `\nIf ${different.join(" and ")} ${
      different.length === 1 ? "is" : "are"
    } system, user, assistant or tool, ` +
      "set dataset.roles, such as roles: {bot: assistant}";
}

/** The first findings of a check, each on a line of its own. */
function examples(check: CheckName, { checks }: Report): string {
  const { count, findings } = checks[check];
  const shown = findings.slice(0, SHOWN).map(findingText);
  const more = count > shown.length ? `\n  and ${count - shown.length} more` : "";
  return `${shown.join("")}${more}`;
}

function findingText({ origin, field, problem, excerpt }: Finding): string {
  return `\n  ${origin}: ${field} ${problem}${excerpt === "" ? "" : `, near ${JSON.stringify(excerpt)}`}`;
}

/** What can be done about checks; that rows would be left out is said with their number. */
function wayOut(report: Report, failing: readonly CheckName[]): string {
  const others = failing.filter((check) => check !== "rows");
  const warn = others.length === 0
    ? ""
    : `, or set ${others.map((check) => `checks.${check}`).join(", ")} to warn`;
  if (others.length === failing.length) return `Fix the rows${warn}`;
  const lost = lostSources(report);
  if (lost.length > 0) return `Fix the rows: none of those in ${labelsOf(lost)} can be read${warn}`;
  const [unused, rows] = [totalOf(report, "unused"), totalOf(report, "rows")];
  // Half of the rows are more than a few bad ones: something else is wrong.
  if (unused * 2 > rows) return `Fix the rows: ${unused} of ${rows} cannot be read${warn}`;
  return `Fix the rows${warn}, or leave ${unused} of the ${rows} rows out with checks.rows: warn`;
}

function sourcesLost(lost: readonly SourceReport[], firsts: readonly Finding[], page: string): UsageError {
  const labels = new Set(lost.map(({ path }) => path));
  const found = firsts.filter(({ origin }) => labels.has(sourceOf(origin))).slice(0, SHOWN).map(findingText);
  return new UsageError(
    "source-lost",
    `Cannot use the dataset: no row of ${labelsOf(lost)} can be read, regardless of dataset.checks.rows` +
      found.join(""),
    {
      hint:
        `Fix the rows, name the file's format in dataset.source, or remove the file; ${page} lists every problem`,
    },
  );
}

function labelsOf(sources: readonly SourceReport[]): string {
  return sources.map(({ path }) => `"${path}"`).join(", ");
}

function totalOf({ sources }: Report, what: "rows" | "unused"): number {
  return sources.reduce((sum, source) => sum + source[what], 0);
}

function emptySet(purpose: "training" | "evaluation", report: Report, page: string): UsageError {
  return new UsageError(
    "dataset-empty",
    `Cannot use the dataset: no row is left for ${purpose}${examples("rows", report)}`,
    { hint: `Fix the rows; ${page} shows why they were left out` },
  );
}

function splitTooLarge(wanted: number, usable: number, report: Report): UsageError {
  const unused = totalOf(report, "unused");
  const out = unused === 0 ? "" : `; ${counted(unused, "row")} cannot be read${examples("rows", report)}`;
  return new UsageError(
    "split-too-large",
    `Cannot hold out dataset.split.eval = ${wanted} rows: the data set has ${usable} that can be used${out}`,
    { hint: "Training needs rows too: hold out fewer, or a fraction such as 0.1" },
  );
}

function splitEmpty(purpose: "training" | "evaluation", report: Report): UsageError {
  const { split } = report;
  const by = split?.by === null ? "rows with the same input stay" : `rows with the same "${split?.by}" stay`;
  const rows = counted(totalOf(report, "rows"), "row");
  return new UsageError(
    "split-empty",
    `Cannot split the dataset: of ${rows}, dataset.split.eval = ${split?.wanted} leaves none for ${purpose}`,
    { hint: `Hold out another number of rows; ${by} on the same side` },
  );
}
