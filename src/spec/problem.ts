import { textWidth } from "../lib/text_width.ts";

/** What is reported of one file: more than this helps nobody, and finding places takes time. */
export const MOST_PROBLEMS = 100;

/** Text that problems point into: the pipeline file, or one `--set`. */
export interface SourceText {
  /** As the user typed it. */
  readonly name: string;
  /** Empty when it could not be read. */
  readonly text: string;
  readonly kind: "file" | "set";
}

/** One thing that is wrong with a pipeline file. */
export interface Problem {
  readonly source: SourceText;
  /** Offsets (UTF-16) of what the carets stand under. */
  readonly start: number;
  readonly end: number;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Dotted path of the field; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ProblemWords {
  readonly path?: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export function problemAt(source: SourceText, span: Span, words: ProblemWords): Problem {
  const start = Math.min(Math.max(span.start, 0), source.text.length);
  const end = Math.min(Math.max(span.end, start), source.text.length);
  const before = source.text.slice(0, start);
  const line = before.split("\n").length;
  return {
    source,
    start,
    end,
    line,
    column: start - (before.lastIndexOf("\n") + 1) + 1,
    path: words.path ?? "",
    message: words.message,
    ...words.hint !== undefined && { hint: words.hint },
  };
}

/** A problem with the file as a whole, such as that there is none. */
export function problemWith(name: string, message: string, hint?: string): Problem {
  return problemAt({ name, text: "", kind: "file" }, { start: 0, end: 0 }, { message, hint });
}

/** Problems of the file in its order, then those of each `--set`; at most MOST_PROBLEMS. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = (p: Problem) => p.source.kind === "file" ? 0 : 1;
  return problems.toSorted((a, b) => rank(a) - rank(b) || a.start - b.start).slice(0, MOST_PROBLEMS);
}

/** `3 problems`, for the line that sums them up. */
export function countOf(problems: readonly Problem[]): string {
  if (problems.length === 1) return "1 problem";
  return `${problems.length === MOST_PROBLEMS ? "at least " : ""}${problems.length} problems`;
}

/** What `--json` prints of a problem. */
export function problemJson(problem: Problem) {
  const { source, line, column, path, message, hint } = problem;
  return {
    line,
    col: column,
    path,
    message,
    hint: hint ?? null,
    ...source.kind === "set" && { set: source.text },
  };
}

const MOST_COLUMNS = 100;

/** Head line, source line and carets, without a line end. */
export function renderProblem(problem: Problem, color: boolean): string {
  const { source, line, column, message, hint } = problem;
  const paint = (code: string, text: string) => color && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  const place = source.text === "" || source.kind === "set"
    ? source.name
    : `${source.name}:${line}:${column}`;
  const head = `${paint("1", `${visible(place)}:`)} ${paint("31", message)}`;
  if (source.text === "") return hint === undefined ? head : `${head}\n  ${hint}`;
  const number = source.kind === "set" ? "" : String(line);
  const gutter = (text: string) => paint("2", `  ${text.padStart(number.length)} |`);
  const { shown, indent, carets } = excerpt(problem);
  const fits = hint === undefined || indent + carets + 1 + textWidth(hint) <= MOST_COLUMNS;
  const label = hint === undefined || !fits ? "" : ` ${hint}`;
  return [
    head,
    `${gutter(number)} ${shown}`,
    `${gutter("")} ${" ".repeat(indent)}${paint("31", "^".repeat(carets) + label)}`,
    ...hint === undefined || fits ? [] : [`${gutter("")} ${paint("31", hint)}`],
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
