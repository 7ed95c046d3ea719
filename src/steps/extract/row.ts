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

/** Takes down what is wrong at a line; reading goes on where that makes sense. */
export type Note = (line: number, problem: string) => void;

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

/** Why a text is not JSON, with the column and what stands there. */
export function jsonFault(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  const cut = /Unterminated|Unexpected end/.test(message);
  const at = position === undefined || cut ? text.length : Number(position);
  const reason = message.replace(/( in JSON)? at position.*$/s, "").replace(/, ".*" is not valid JSON$/s, "")
    .replace(/^./, (letter) => letter.toLowerCase());
  const near = text.slice(Math.max(0, at - 20), at + 20).trim();
  return `not valid JSON, ${reason} at column ${at + 1}, near ${JSON.stringify(near)}`;
}
