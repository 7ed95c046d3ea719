import { UsageError } from "../../../lib/errors.ts";
import { counted } from "../../../lib/text/format.ts";
import { foundText } from "../../../pages/check_text.ts";
import type { DataReport } from "../../../pages/data_report.ts";
import { rowLines } from "../../../spec/render.ts";
import type { FieldProblem } from "../../../spec/rules/field_problem.ts";
import { sourceOf } from "../example.ts";
import type { Finding } from "./findings.ts";

const CHECKS_FAILED = "data-checks";

type SourceReport = DataReport["sources"][number];

/**
 * Throws when a check that stops found something, when a set is empty, or when a source is lost as a whole.
 * `firsts`: of each file the first row that cannot be read. `page`: where the report is. `others`: what else is known
 * of the rows, and said with it.
 */
export function enforceChecks(
  report: DataReport,
  firsts: readonly Finding[],
  page: string,
  others: readonly FieldProblem[],
): void {
  const failing = failingChecks(report);
  const refusal = failing.length > 0 ? checksFailed(report, failing, page) : refusalOf(report, firsts, page);
  if (!refusal) return;
  const also = [...warningsBeside(refusal, report), ...others].map(problemText);
  if (also.length === 0) throw refusal;
  const { code, message, hint } = refusal;
  throw new UsageError(
    code,
    `${message}\nAlso found: ${also.join("\n")}`,
    hint === undefined ? {} : { hint },
  );
}

/** Whether the rows of a report stop a run. */
export function isRefused(report: DataReport): boolean {
  return failingChecks(report).length > 0 || refusalOf(report, [], undefined) !== undefined;
}

/**
 * The same as problems of the pipeline file: what stops a run, and what only warns. `isWhole`: whether all rows were
 * read; of a part it is not known what is left for which set.
 */
export function dataProblems(
  report: DataReport,
  firsts: readonly Finding[],
  isWhole: boolean,
): FieldProblem[] {
  const errors = checkProblems(report, "error");
  const refusal = errors.length === 0 && isWhole ? refusalOf(report, firsts, undefined) : undefined;
  const place = refusal?.code.startsWith("split") ? ["dataset", "split"] : ["dataset", "source"];
  return [
    ...errors,
    ...refusal ? [{ path: place, at: "value" as const, message: refusal.message, hint: refusal.hint }] : [],
    ...refusal ? warningsBeside(refusal, report) : checkProblems(report, "warn"),
  ];
}

/** Without the rows that cannot be read where the refusal lists them itself. */
function warningsBeside({ code }: UsageError, report: DataReport): FieldProblem[] {
  const warnings = checkProblems(report, "warn");
  return code === CHECKS_FAILED ? warnings : warnings.filter(({ path }) => path[2] !== "rows");
}

function checkProblems(report: DataReport, severity: "error" | "warn"): FieldProblem[] {
  return checksThat(report, severity).map((check): FieldProblem => {
    const { count, findings } = report.checks[check]!;
    return {
      path: ["dataset", "checks", check],
      mark: ["dataset", placeOf(check, report)],
      at: "value",
      message: `${foundText(check, count)} (dataset.checks.${check})`,
      rows: { count, first: findings },
      ...severity === "warn"
        ? { severity: "warning" }
        : { hint: `${wayOut(report, [check])}${check === "rows" ? strangers(report) : ""}` },
    };
  });
}

/** The field whose files have the rows that were found. */
function placeOf(check: string, { sources, split, checks }: DataReport): "source" | "eval" | "split" {
  if (check === "leakage") return split ? "split" : "eval";
  const labels = sources.filter(({ set }) => set === "eval").map(({ path }) => path);
  return checks[check]!.findings.every(({ origin }) => labels.includes(sourceOf(origin))) ? "eval" : "source";
}

function problemText({ message, rows }: FieldProblem): string {
  return [message, ...rowLines(rows)].join("\n");
}

function failingChecks(report: DataReport): string[] {
  return checksThat(report, "error");
}

function checksThat({ checks }: DataReport, severity: "error" | "warn"): string[] {
  return Object.keys(checks).filter((name) => {
    const check = checks[name]!;
    return check.severity === severity && check.count > 0;
  });
}

/** What keeps the rows from being used although no check stops them. */
function refusalOf(
  report: DataReport,
  firsts: readonly Finding[],
  page: string | undefined,
): UsageError | undefined {
  const usable = report.train.rows + (report.split ? report.eval?.rows ?? 0 : 0);
  if (usable === 0) return emptySet("training", report, page);
  const wanted = report.split?.wanted ?? 0;
  if (report.split && wanted >= usable) return splitTooLarge(wanted, usable, report);
  if (report.train.rows === 0) return splitEmpty("training", report);
  if (report.eval?.rows === 0) {
    return report.split ? splitEmpty("evaluation", report) : emptySet("evaluation", report, page);
  }
  const lost = lostSources(report);
  return lost.length > 0 ? sourcesLost(lost, firsts, page) : undefined;
}

/** Files of which no row can be read: no setting of a check is meant to leave out a whole file. */
function lostSources({ sources }: DataReport): SourceReport[] {
  return sources.filter(({ rows, used }) => rows > 0 && used === 0);
}

function checksFailed(report: DataReport, failing: readonly string[], page: string): UsageError {
  const parts = failing.map((check) => {
    const { count } = report.checks[check]!;
    return `${foundText(check, count)} (dataset.checks.${check})${examples(check, report)}`;
  });
  return new UsageError(CHECKS_FAILED, `Cannot use the dataset: ${parts.join("\n")}`, {
    hint: `${wayOut(report, failing)}; ${page} lists every problem${strangers(report)}`,
  });
}

/** Who speaks under names that mean nothing, and how the pipeline file says what they mean. */
function strangers({ checks }: DataReport): string {
  const names = (checks["rows"]?.findings ?? []).flatMap(({ problem }) =>
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
function examples(check: string, { checks }: DataReport): string {
  const { count, findings } = checks[check]!;
  return rowLines({ count, first: findings }).map((line) => `\n${line}`).join("");
}

/** What can be done about checks; that rows would be left out is said with their number. */
function wayOut(report: DataReport, failing: readonly string[]): string {
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

function sourcesLost(
  lost: readonly SourceReport[],
  firsts: readonly Finding[],
  page: string | undefined,
): UsageError {
  const labels = new Set(lost.map(({ path }) => path));
  const found = firsts.filter(({ origin }) => labels.has(sourceOf(origin)));
  return new UsageError(
    "source-lost",
    `Cannot use the dataset: no row of ${labelsOf(lost)} can be read, regardless of dataset.checks.rows` +
      rowLines({ count: found.length, first: found }).map((line) => `\n${line}`).join(""),
    {
      hint: `Fix the rows, name the file's format in dataset.source, or remove the file${
        page === undefined ? "" : `; ${page} lists every problem`
      }`,
    },
  );
}

function labelsOf(sources: readonly SourceReport[]): string {
  return sources.map(({ path }) => `"${path}"`).join(", ");
}

function totalOf({ sources }: DataReport, what: "rows" | "unused"): number {
  return sources.reduce((sum, source) => sum + source[what], 0);
}

function emptySet(
  purpose: "training" | "evaluation",
  report: DataReport,
  page: string | undefined,
): UsageError {
  return new UsageError(
    "dataset-empty",
    `Cannot use the dataset: no row is left for ${purpose}${examples("rows", report)}`,
    { hint: page === undefined ? "Fix the rows" : `Fix the rows; ${page} shows why they were left out` },
  );
}

function splitTooLarge(wanted: number, usable: number, report: DataReport): UsageError {
  const unused = totalOf(report, "unused");
  const out = unused === 0 ? "" : `; ${counted(unused, "row")} cannot be read${examples("rows", report)}`;
  return new UsageError(
    "split-too-large",
    `Cannot hold out dataset.split.eval = ${wanted} rows: the data set has ${usable} that can be used${out}`,
    { hint: "Training needs rows too: hold out fewer, or a fraction such as 0.1" },
  );
}

function splitEmpty(purpose: "training" | "evaluation", report: DataReport): UsageError {
  const { split } = report;
  const by = split?.by === null ? "rows with the same input stay" : `rows with the same "${split?.by}" stay`;
  const rows = counted(totalOf(report, "rows"), "row");
  return new UsageError(
    "split-empty",
    `Cannot split the dataset: of ${rows}, dataset.split.eval = ${split?.wanted} leaves none for ${purpose}`,
    { hint: `Hold out another number of rows; ${by} on the same side` },
  );
}
