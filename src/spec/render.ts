import { count } from "../lib/text/format.ts";
import { textWidth } from "../lib/text/text_width.ts";
import type { Problem, ProblemRows } from "./problem.ts";

const MOST_COLUMNS = 100;
/** Of the rows that a check found. */
const SHOWN_ROWS = 5;

/**
 * Head line, source line and carets, without a line end.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { check } from "@temper/temper";
 *
 * const checked = await check("nowhere/lora.yaml");
 * assert(!checked.ok);
 * for (const problem of checked.problems) console.log(renderProblem(problem, false));
 * ```
 */
export function renderProblem(problem: Problem, color: boolean): string {
  return [rendered(problem, color, { word: "", paint: "31" }), ...rowLines(problem.rows)].join("\n");
}

/** All of them, a blank line between two; what stops nothing comes last. */
export function renderProblems(
  problems: readonly Problem[],
  warnings: readonly Problem[],
  color: boolean,
): string {
  const warn = (problem: Problem) =>
    [rendered(problem, color, { word: "warning: ", paint: "33" }), ...rowLines(problem.rows)].join("\n");
  return [...problems.map((problem) => renderProblem(problem, color)), ...warnings.map(warn)].join("\n\n");
}

/** The first rows that have a problem, each on a line of its own. */
export function rowLines(rows: ProblemRows | undefined, most = SHOWN_ROWS): string[] {
  if (!rows) return [];
  const lines = rows.first.slice(0, most).map(({ origin, field, problem, excerpt }) =>
    `  ${origin}: ${field === "" ? "" : `${field} `}${problem}${
      excerpt === "" ? "" : `, near ${JSON.stringify(excerpt)}`
    }`
  );
  const left = rows.count - lines.length;
  return left > 0 ? [...lines, `  and ${count(left)} more`] : lines;
}

interface Kind {
  readonly word: string;
  /** Colour of the message and the carets. */
  readonly paint: string;
}

function rendered(problem: Problem, color: boolean, kind: Kind): string {
  const { source, line, column, message, hint } = problem;
  const paint = (code: string, text: string) => color && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  const place = source.text === "" || source.kind === "set"
    ? source.name
    : `${source.name}:${line}:${column}`;
  const head = `${paint("1", `${visible(place)}:`)} ${paint(kind.paint, kind.word + message)}`;
  if (source.text === "") return hint === undefined ? head : `${head}\n  ${hint}`;
  const number = source.kind === "set" ? "" : String(line);
  const gutter = (text: string) => paint("2", `  ${text.padStart(number.length)} |`);
  const { shown, indent, carets } = excerpt(problem);
  const fits = hint === undefined ||
    !hint.includes("\n") && indent + carets + 1 + textWidth(hint) <= MOST_COLUMNS;
  const label = hint === undefined || !fits ? "" : ` ${hint}`;
  return [
    head,
    `${gutter(number)} ${shown}`,
    `${gutter("")} ${" ".repeat(indent)}${paint(kind.paint, "^".repeat(carets) + label)}`,
    ...hint === undefined || fits
      ? []
      : hint.split("\n").map((part) => `${gutter("")} ${paint(kind.paint, part)}`),
  ].join("\n");
}

interface Excerpt {
  readonly shown: string;
  readonly indent: number;
  readonly carets: number;
}

/** The source line and where the carets stand, in terminal columns; a long line is cut around them. */
function excerpt({ source, start, end }: Problem): Excerpt {
  const from = source.text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = source.text.indexOf("\n", start);
  const to = lineEnd < 0 ? source.text.length : lineEnd;
  const text = source.text.slice(from, to).replace(/\r$/, "");
  const a = Math.min(start - from, text.length);
  const b = Math.max(a, Math.min(end - from, text.length));
  const [left, marked, right] = fitted(
    visible(text.slice(0, a)),
    visible(text.slice(a, b)),
    visible(text.slice(b)),
  );
  return { shown: left + marked + right, indent: textWidth(left), carets: Math.max(1, textWidth(marked)) };
}

function fitted(left: string, marked: string, right: string): [string, string, string] {
  if (textWidth(left + marked + right) <= MOST_COLUMNS) return [left, marked, right];
  const shortMark = firstColumns(marked, MOST_COLUMNS / 2);
  const shortLeft = lastColumns(left, MOST_COLUMNS / 2);
  if (shortMark !== marked) return [shortLeft, shortMark, ""];
  return [shortLeft, marked, firstColumns(right, MOST_COLUMNS - textWidth(shortLeft + marked))];
}

/** Tabs as four columns; what would move the cursor or reorder text as one visible character. */
function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll("\t", "    ").replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, "�");
}

function firstColumns(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const character of text) {
    width += textWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

function lastColumns(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const character of [...text].reverse()) {
    width += textWidth(character);
    if (width > columns - 1) break;
    kept = character + kept;
  }
  return `…${kept}`;
}
