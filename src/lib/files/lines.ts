import { concatBytes, utf8Fault } from "./bytes.ts";

/** Lines that follow each other. Reading by the batch keeps the cost of a line far below that of an await. */
export interface LineBatch {
  /** Number of the first line, counted from 1. */
  readonly first: number;
  readonly lines: readonly string[];
  /** False for the last line of a file that does not end in a newline. */
  readonly terminated: boolean;
}

/** A line that cannot be given out; an empty line stands in its place. */
export interface LineFault {
  readonly line: number;
  /** Position in the file: of the first wrong byte, or of the line's start. */
  readonly byte: number;
  readonly kind: "encoding" | "length";
}

export interface ReadLinesOptions {
  /** @default 64 MiB */
  readonly maxBytes?: number;
  /** Where in the file the stream begins. @default 0 */
  readonly start?: number;
  /** Without it a fault throws. */
  readonly onFault?: (fault: LineFault) => void;
}

const MAX_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;
/** Every collection of V8's short-lived objects keeps what is alive, so what is alive at once is kept small. */
const BATCH_BYTES = 8192;

/** Splits UTF-8 bytes at `\n`. Holds one line at a time; a chunk may be overwritten once the next is asked for. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  options: ReadLinesOptions = {},
): AsyncGenerator<LineBatch> {
  const splitter = new Splitter(options);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += BATCH_BYTES) {
      const batch = splitter.push(chunk.subarray(at, at + BATCH_BYTES));
      if (batch) yield batch;
    }
  }
  const last = splitter.end();
  if (last) yield last;
}

class Splitter {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #maxBytes: number;
  readonly #onFault: (fault: LineFault) => void;
  /** Bytes of the line that has begun. */
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** Set while the rest of a line that is too long goes by. */
  #skipping = false;
  #line = 1;
  /** Position in the file of the line that has begun. */
  #start: number;

  constructor({ maxBytes = MAX_BYTES, start = 0, onFault = refuse }: ReadLinesOptions) {
    this.#maxBytes = maxBytes;
    this.#start = start;
    this.#onFault = onFault;
  }

  push(chunk: Uint8Array): LineBatch | undefined {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) return void this.#hold(chunk);
    const first = this.#line;
    const lines = this.#skipping
      ? this.#endSkipped(chunk.subarray(0, end))
      : this.#decode(chunk.subarray(0, end));
    this.#hold(chunk.subarray(end + 1));
    return { first, lines, terminated: true };
  }

  end(): LineBatch | undefined {
    if (this.#held === 0) return undefined;
    const first = this.#line;
    return { first, lines: this.#skipping ? [""] : this.#decode(new Uint8Array()), terminated: false };
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held += bytes.length;
    if (this.#skipping) return;
    if (this.#held > this.#maxBytes) {
      this.#onFault({ line: this.#line, byte: this.#start, kind: "length" });
      this.#skipping = true;
      this.#pieces = [];
    } else {
      this.#pieces.push(bytes.slice());
    }
  }

  #endSkipped(bytes: Uint8Array): string[] {
    const newline = bytes.indexOf(NEWLINE);
    const skipped = newline < 0 ? bytes.length : newline;
    this.#advance(1, this.#held + skipped + 1);
    return newline < 0 ? [""] : ["", ...this.#decode(bytes.subarray(newline + 1))];
  }

  /** Whole lines without the last newline, put behind what is held. */
  #decode(bytes: Uint8Array): string[] {
    const whole = this.#pieces.length === 0 ? bytes : concatBytes([...this.#pieces, bytes]);
    let lines: string[];
    try {
      lines = this.#decoder.decode(whole).split("\n");
    } catch {
      lines = this.#decodeEach(whole);
    }
    this.#advance(lines.length, whole.length + 1);
    return lines;
  }

  #decodeEach(whole: Uint8Array): string[] {
    const lines: string[] = [];
    for (let start = 0; start <= whole.length;) {
      const newline = whole.indexOf(NEWLINE, start);
      const bytes = whole.subarray(start, newline < 0 ? whole.length : newline);
      const fault = utf8Fault(bytes);
      if (fault >= 0) {
        this.#onFault({
          line: this.#line + lines.length,
          byte: this.#start + start + fault,
          kind: "encoding",
        });
      }
      lines.push(fault < 0 ? this.#decoder.decode(bytes) : "");
      start += bytes.length + 1;
    }
    return lines;
  }

  #advance(lines: number, bytes: number): void {
    this.#line += lines;
    this.#start += bytes;
    this.#pieces = [];
    this.#held = 0;
    this.#skipping = false;
  }
}

function refuse(fault: LineFault): never {
  throw new RangeError(`Cannot read line ${fault.line} at byte ${fault.byte}: wrong ${fault.kind}`);
}
