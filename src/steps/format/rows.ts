import type { Fs } from "../../lib/fs.ts";
import type { JsonObject } from "../../lib/json.ts";
import { readLines } from "../../lib/lines.ts";

/** A row as extract left it. */
export interface SourceRow {
  readonly origin: string;
  readonly row: JsonObject;
}

/** The rows of a set, in batches. */
export async function* readRows(path: string, fs: Fs): AsyncGenerator<SourceRow[]> {
  // extract has refused rows that are too long; its own wrapping may be longer than its limit.
  for await (const { lines } of readLines(fs.readStream(path), { maxBytes: Infinity })) {
    yield lines.map((line) => JSON.parse(line) as SourceRow);
  }
}

/** The first rows, to see what the set is. */
export async function firstRows(path: string, fs: Fs, count: number): Promise<JsonObject[]> {
  const rows: JsonObject[] = [];
  for await (const batch of readRows(path, fs)) {
    for (const { row } of batch) if (rows.push(row) === count) return rows;
  }
  return rows;
}
