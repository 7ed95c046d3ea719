import { masked } from "../lib/net/secrets.ts";
import { counted } from "../lib/text/format.ts";

/** Most problems reported per file: more do not help, and locating them takes time. */
export const MOST_PROBLEMS = 100;

/** Text that problems point into: the pipeline file, or one `--set`. Secrets in it are masked: it is printed. */
export interface SourceText {
  /** As the user typed it. */
  readonly name: string;
  /** Empty when it could not be read. */
  readonly text: string;
  readonly kind: "file" | "set";
  /** Which `--set` it is, in the order they were given; 0 for the file. */
  readonly order: number;
}

/**
 * One thing that is wrong with a pipeline file.
 *
 * @example
 * ```ts
 * const place = ({ source, line, column }: Problem) => `${source.name}:${line}:${column}`;
 * console.log(place.length);
 * ```
 */
export interface Problem {
  readonly source: SourceText;
  /** UTF-16 offsets of the text above the carets. */
  readonly start: number;
  readonly end: number;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Dotted path of the field; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
  /** The rows of the data that show it. */
  readonly rows?: ProblemRows;
}

/** Rows of the data that have the same problem. */
export interface ProblemRows {
  /** All of them. */
  readonly count: number;
  /** The first ones. */
  readonly first: readonly ProblemRow[];
}

export interface ProblemRow {
  /** Source file and line, such as `rows.jsonl:12`. */
  readonly origin: string;
  readonly field: string;
  readonly problem: string;
  /** The text in question, shortened. */
  readonly excerpt: string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ProblemWords {
  readonly path?: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly rows?: ProblemRows | undefined;
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
    path: masked(words.path ?? ""),
    message: masked(words.message),
    ...words.hint !== undefined && { hint: masked(words.hint) },
    ...words.rows && { rows: words.rows },
  };
}

/** A problem with the file as a whole, such as that there is none. */
export function problemWith(name: string, message: string, hint?: string): Problem {
  return problemAt({ name, text: "", kind: "file", order: 0 }, { start: 0, end: 0 }, { message, hint });
}

/** Problems of the file in its order, then those of each `--set`; at most MOST_PROBLEMS. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.source.order - b.source.order || a.start - b.start).slice(
    0,
    MOST_PROBLEMS,
  );
}

/** `3 problems`, for the line that sums them up. */
export function countOf(problems: readonly Problem[], warnings: readonly Problem[] = []): string {
  const least = problems.length === MOST_PROBLEMS ? "at least " : "";
  const found = `${least}${counted(problems.length, "problem")}`;
  return warnings.length === 0 ? found : `${found}, ${counted(warnings.length, "warning")}`;
}

/** What `--json` prints of a problem. */
export function problemJson(problem: Problem) {
  const { source, line, column, path, message, hint, rows } = problem;
  return {
    line,
    col: column,
    path,
    message,
    hint: hint ?? null,
    ...source.kind === "set" && { set: source.text },
    ...rows && { rows },
  };
}
