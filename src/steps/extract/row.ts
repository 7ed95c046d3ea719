import type { Reading } from "./sources.ts";

/** One row of a source, as the JSON text of an object on one line. */
export interface Row {
  /** Where it starts in its file, counted from 1. */
  readonly line: number;
  readonly json: string;
}

/** The bytes of a source behind its byte order mark. */
export interface SourceBytes {
  /** A chunk may be overwritten once the next is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Where in the file `chunks` begins. */
  readonly start: number;
}

/** A remedy in the pipeline file: when it applies, and the options for the source's entry. */
export interface Advice {
  readonly when: string;
  readonly options: Reading;
}

/** Records a problem at a line; reading continues where that makes sense. */
export type Note = (line: number, problem: string, advice?: readonly Advice[]) => void;

/** Reads one kind of file. Rows come in batches, because an await for each would cost more than the row. */
export type RowReader = (bytes: SourceBytes, note: Note) => AsyncGenerator<readonly Row[]>;

export const MAX_ROW_BYTES = 64 * 1024 * 1024;
export const TOO_LONG = "the row is longer than 64 MiB";

/** What a row is when it is not an object, in a person's words. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** What is said of bytes that are not UTF-8. */
export function notUtf8(byte: number): string {
  return `not UTF-8 at byte ${byte} of the file`;
}

export const OTHER_ENCODING: readonly Advice[] = [
  { when: "if it is written in another encoding", options: { encoding: "windows-1252" } },
];
