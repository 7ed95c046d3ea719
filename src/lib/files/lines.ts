import { utf8Fault } from "./bytes.ts";
import { type LineBlock, LineSplitter } from "./line_splitter.ts";

/** Lines that follow each other. Reading by the batch keeps the cost of a line far below that of an await. */
export interface LineBatch {
  /** Number of the first line, counted from 1. */
  readonly first: number;
  readonly lines: readonly string[];
  /** False for the last line of a file that does not end in a newline. */
  readonly terminated: boolean;
  /** Position in the file behind the last line and its newline: where to go on reading. */
  readonly end: number;
}

/** A line that cannot be returned; an empty line replaces it. */
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
  { maxBytes = MAX_BYTES, start = 0, onFault = refuse }: ReadLinesOptions = {},
): AsyncGenerator<LineBatch> {
  const splitter = new LineSplitter(start, maxBytes);
  const decoder = new LineDecoder(onFault);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += BATCH_BYTES) {
      for (const block of splitter.push(chunk.subarray(at, at + BATCH_BYTES))) yield decoder.decode(block);
      // Said at once: the line may never end.
      if (splitter.held > maxBytes) decoder.leaveOut(splitter.end);
    }
  }
  const rest = splitter.rest();
  if (rest) yield decoder.decode(rest);
}

/** Makes texts of lines, and numbers them. */
class LineDecoder {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #onFault: (fault: LineFault) => void;
  #line = 1;
  /** Where the last line begins that was left out. */
  #leftOut = -1;

  constructor(onFault: (fault: LineFault) => void) {
    this.#onFault = onFault;
  }

  decode(block: LineBlock): LineBatch {
    const first = this.#line;
    if (block.tooLong) this.leaveOut(block.start);
    const lines = block.tooLong ? [""] : this.#texts(block);
    this.#line += lines.length;
    return { first, lines, terminated: block.terminated, end: block.end };
  }

  /** Says once that the next line is too long. */
  leaveOut(start: number): void {
    if (start === this.#leftOut) return;
    this.#leftOut = start;
    this.#onFault({ line: this.#line, byte: start, kind: "length" });
  }

  #texts(block: LineBlock): string[] {
    try {
      return this.#decoder.decode(block.bytes).split("\n");
    } catch {
      return this.#decodeEach(block);
    }
  }

  #decodeEach({ bytes: whole, start: position }: LineBlock): string[] {
    const lines: string[] = [];
    for (let start = 0; start <= whole.length;) {
      const newline = whole.indexOf(NEWLINE, start);
      const bytes = whole.subarray(start, newline < 0 ? whole.length : newline);
      const fault = utf8Fault(bytes);
      if (fault >= 0) {
        this.#onFault({ line: this.#line + lines.length, byte: position + start + fault, kind: "encoding" });
      }
      lines.push(fault < 0 ? this.#decoder.decode(bytes) : "");
      start += bytes.length + 1;
    }
    return lines;
  }
}

function refuse(fault: LineFault): never {
  throw new RangeError(`Cannot read line ${fault.line} at byte ${fault.byte}: wrong ${fault.kind}`);
}
