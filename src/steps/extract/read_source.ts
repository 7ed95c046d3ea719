import { createHash } from "node:crypto";
import type { Fs } from "../../lib/fs.ts";
import { csvReader } from "./csv.ts";
import { readJsonArray } from "./json_array.ts";
import { readJsonl } from "./jsonl.ts";
import type { Note, Row, RowReader } from "./row.ts";
import type { Source, Suffix } from "./sources.ts";

const READERS: { readonly [S in Suffix]: RowReader } = {
  ".jsonl": readJsonl,
  ".json": readJsonArray,
  ".csv": csvReader(","),
  ".tsv": csvReader("\t"),
};

/** What reading a source to its end showed. */
export interface Reading {
  readonly bytes: number;
  readonly sha256: string;
}

/** The rows of a source, and the digest of exactly the bytes they came from. */
export async function* readSource(
  source: Source,
  fs: Fs,
  note: Note,
): AsyncGenerator<readonly Row[], Reading> {
  const hash = createHash("sha256");
  const chunks = fs.readChunks(source.path)[Symbol.asyncIterator]();
  let bytes = 0;
  const next = async () => {
    const { value, done } = await chunks.next();
    if (done) return undefined;
    hash.update(value);
    bytes += value.length;
    return value;
  };
  try {
    const first = await next();
    const problem = first ? wrongEncoding(first) : "the file is empty";
    if (first && !problem) {
      const start = first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf ? 3 : 0;
      yield* READERS[source.suffix]({ start, chunks: rest(first.subarray(start), next) }, note);
    } else note(1, problem ?? "");
    while (await next());
  } finally {
    await chunks.return?.();
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function* rest(
  first: Uint8Array,
  next: () => Promise<Uint8Array | undefined>,
): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let chunk; (chunk = await next());) yield chunk;
}

function wrongEncoding(bytes: Uint8Array): string | undefined {
  const [a, b] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    return "the file is UTF-16; save it as UTF-8";
  }
  const nul = bytes.indexOf(0);
  return nul < 0 ? undefined : `the file is not text: byte ${nul} is zero`;
}
