import { createHash } from "node:crypto";
import type { Fs } from "../../lib/files/fs.ts";
import { csvReader } from "./csv.ts";
import { readJsonArray } from "./json_array.ts";
import { readJsonl } from "./jsonl.ts";
import type { Advice, Note, Row, RowReader, SourceBytes } from "./row.ts";
import type { Reading, Source, Suffix } from "./sources.ts";
import { toUtf8 } from "./to_utf8.ts";

const READERS: { readonly [S in Suffix]: (reading: Reading) => RowReader } = {
  ".jsonl": () => readJsonl,
  ".json": () => readJsonArray,
  ".csv": (reading) => tableReader(reading, ",", '"'),
  ".tsv": (reading) => tableReader(reading, "\t", undefined),
};

/** What reading a source to its end showed. */
export interface ReadThrough {
  readonly bytes: number;
  readonly sha256: string;
}

/** The rows of a source, and the digest of exactly the bytes they came from. */
export async function* readSource(
  source: Pick<Source, "path" | "suffix"> & { readonly reading: Reading },
  fs: Fs,
  note: Note,
): AsyncGenerator<readonly Row[], ReadThrough> {
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
    const text = first && textOf(first, next, source.reading, note);
    if (!first) note(1, "the file is empty");
    if (text) yield* READERS[source.suffix](source.reading)(text, note);
    while (await next());
  } finally {
    await chunks.return?.();
  }
  return { bytes, sha256: hash.digest("hex") };
}

function tableReader({ delimiter, quote }: Reading, usual: string, quotes: string | undefined): RowReader {
  return csvReader({
    delimiter: delimiter ?? usual,
    quote: quote === undefined ? quotes : quote === "none" ? undefined : quote,
    named: { delimiter: delimiter !== undefined, quote: quote !== undefined },
  });
}

type Next = () => Promise<Uint8Array | undefined>;

/** The bytes of a file as UTF-8 behind their byte order mark; `undefined` after a note about what they are instead. */
function textOf(first: Uint8Array, next: Next, { encoding }: Reading, note: Note): SourceBytes | undefined {
  const mark = markOf(first);
  const named = encoding === undefined ? "utf-8" : new TextDecoder(encoding).encoding;
  // A mark tells which of the two an encoding that is named "utf-16" is.
  const actual = /^utf-?16$/i.test(encoding ?? "") && mark?.startsWith("utf-16") ? mark : named;
  if (mark !== undefined && mark !== actual) {
    const advice = [{ when: `if it is ${mark}`, options: { encoding: mark } }];
    return void note(
      1,
      `the file is ${mark.toUpperCase()}, according to its byte order mark, not ${named}`,
      advice,
    );
  }
  const nul = /^utf-16/.test(actual) ? -1 : first.indexOf(0);
  if (nul >= 0) return void note(1, `the file is not text: byte ${nul} is zero`, utf16Advice(first, nul));
  if (actual !== "utf-8") return { start: 0, chunks: toUtf8(rest(first, next), actual, note) };
  const start = mark === undefined ? 0 : 3;
  return { start, chunks: rest(first.subarray(start), next) };
}

/** Half of the bytes of most texts in UTF-16 are zero: the second or the first one of each pair. */
function utf16Advice(first: Uint8Array, nul: number): Advice[] {
  const encoding = nul === 1 ? "utf-16le" : nul === 0 && first[1] !== 0 ? "utf-16be" : undefined;
  return encoding === undefined ? [] : [{ when: "if it is UTF-16", options: { encoding } }];
}

function markOf([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return a === 0xef && b === 0xbb && c === 0xbf ? "utf-8" : undefined;
}

async function* rest(first: Uint8Array, next: Next): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let chunk; (chunk = await next());) yield chunk;
}
