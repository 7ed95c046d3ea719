import type { Fs } from "../../lib/fs.ts";
import type { JsonObject } from "../../lib/json.ts";
import { readLines } from "../../lib/lines.ts";

/** A row as extract left it. */
export interface SourceRow {
  readonly origin: string;
  readonly row: JsonObject;
}

/** The lines of a set, in batches, for `parseRow`: rows that are parsed one by one leave memory one by one. */
export async function* readRowLines(path: string, fs: Fs): AsyncGenerator<readonly string[]> {
  // extract has refused rows that are too long; its own wrapping may be longer than its limit.
  for await (const { lines } of readLines(fs.readChunks(path), { maxBytes: Infinity })) yield lines;
}

export function parseRow(line: string): SourceRow {
  return JSON.parse(line) as SourceRow;
}

/** The first rows, to see what the set is. */
export async function firstRows(path: string, fs: Fs, count: number): Promise<JsonObject[]> {
  const rows: JsonObject[] = [];
  for await (const lines of readRowLines(path, fs)) {
    for (const line of lines) if (rows.push(parseRow(line).row) === count) return rows;
  }
  return rows;
}
