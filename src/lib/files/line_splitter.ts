import { concatBytes } from "./bytes.ts";

const NEWLINE = 10;

/** Lines as they lie in the file, one or more. */
export interface LineBlock {
  /** Without the newline of the last line. Valid until the next push: it may be a part of the chunk. */
  readonly bytes: Uint8Array;
  /** Position in the file of the first byte. */
  readonly start: number;
  /** Position behind the last newline. */
  readonly end: number;
  /** An unfinished line at the end of a file has no newline. */
  readonly terminated: boolean;
  /** A line that is too long: its bytes are left out. */
  readonly tooLong: boolean;
}

/**
 * Cuts bytes into whole lines. What follows the last newline is kept for the next chunk: a line counts once its
 * newline is there. A chunk may be overwritten once `push` has returned and its blocks have been used.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** Bytes of the unfinished line. */
  #pieces: Uint8Array[] = [];
  #held = 0;
  #end: number;

  /** `start`: where in the file the first byte lies. A longer line than `maxBytes` is not kept. */
  constructor(start = 0, maxBytes = Infinity) {
    this.#end = start;
    this.#maxBytes = maxBytes;
  }

  /** Position behind the last newline so far. */
  get end(): number {
    return this.#end;
  }

  /** Length of the unfinished line so far. */
  get held(): number {
    return this.#held;
  }

  /** Drops the unfinished line: the next chunk starts at `end`. */
  forget(): void {
    this.#pieces = [];
    this.#held = 0;
  }

  push(chunk: Uint8Array): LineBlock[] {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#hold(chunk);
      return [];
    }
    const blocks: LineBlock[] = [];
    let from = 0;
    if (this.#held > this.#maxBytes) {
      from = chunk.indexOf(NEWLINE) + 1;
      blocks.push(this.#block(chunk.subarray(0, from - 1)));
    }
    if (from <= last) blocks.push(this.#block(chunk.subarray(from, last)));
    this.#hold(chunk.subarray(last + 1));
    return blocks;
  }

  /** The unfinished line, once there is nothing more to push. */
  rest(): LineBlock | undefined {
    if (this.#held === 0) return undefined;
    const tooLong = this.#held > this.#maxBytes;
    return {
      bytes: concatBytes(this.#pieces),
      start: this.#end,
      end: this.#end + this.#held,
      terminated: false,
      tooLong,
    };
  }

  /** What is held and the `bytes` up to a newline. */
  #block(bytes: Uint8Array): LineBlock {
    const start = this.#end;
    const tooLong = this.#held > this.#maxBytes;
    const whole = tooLong
      ? new Uint8Array()
      : this.#pieces.length === 0
      ? bytes
      : concatBytes([...this.#pieces, bytes]);
    this.#end = start + this.#held + bytes.length + 1;
    this.forget();
    return { bytes: whole, start, end: this.#end, terminated: true, tooLong };
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held += bytes.length;
    if (this.#held > this.#maxBytes) this.#pieces = [];
    else this.#pieces.push(bytes.slice());
  }
}
