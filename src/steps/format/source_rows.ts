import type { Fs } from "../../lib/files/fs.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import { readLines } from "../../lib/files/lines.ts";

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

/** The first rows of each file of a set, whose rows follow each other. `rows`: how many each has. */
export async function firstRows(
  path: string,
  fs: Fs,
  rows: readonly number[],
  count: number,
): Promise<JsonObject[][]> {
  const samples: JsonObject[][] = rows.map(() => []);
  let file = 0;
  let left = rows[0] ?? 0;
  for await (const lines of readRowLines(path, fs)) {
    for (const line of lines) {
      while (left === 0) left = rows[++file] ?? Infinity;
      left--;
      const sample = samples[file] as JsonObject[];
      if (sample.length < count) sample.push(parseRow(line).row);
      else if (file === rows.length - 1) return samples;
    }
  }
  return samples;
}
