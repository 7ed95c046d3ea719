import type { ReadFs } from "../../src/lib/files/read_fs.ts";
import { MAX_LINE } from "../../src/log/events.ts";
import { InTurn, Recent } from "../recent.ts";
import { sseHead } from "./sse.ts";

const ENCODER = new TextEncoder();
const NEWLINE = 10;

/** Bytes of a log that are sent at once. A longer line is sent alone. */
const BLOCK = 16 * 1024;
/** Blocks that are kept, over all runs: those who began to read at the same time all want the same ones. */
const MOST_KEPT = 64;

/** Part of a log as messages. */
export interface Block {
  readonly messages: Uint8Array;
  /** Byte of the log behind its last line. */
  readonly end: number;
}

/**
 * Logs as messages, block by block. Nobody who reads one holds more than the block that is being sent, and what
 * several read is read and made into messages once.
 */
export class LogBlocks {
  readonly #kept = new Recent<Promise<Block>>(MOST_KEPT);
  /** One after the other, in the same buffers: a thousand reads at once would each need their own. */
  readonly #turns = new InTurn();
  readonly #lines = new Uint8Array(MAX_LINE);
  #messages = new Uint8Array(2 * MAX_LINE);

  constructor(private readonly fs: ReadFs) {}

  /** The lines of `path` from byte `start` on, of which those up to byte `end` are known to be events. */
  async at(path: string, start: number, end: number): Promise<Block> {
    const known = Math.min(end, start + MAX_LINE);
    // As the log grows, its last block does too.
    const key = `${path}\0${start}\0${known}`;
    try {
      return await this.#kept.get(key, () => this.#turns.do(() => this.#read(path, start, known)));
    } catch (error) {
      this.#kept.forget(key);
      throw error;
    }
  }

  /** Whether a line begins at byte `start`, or would. */
  async isLineStart(path: string, start: number): Promise<boolean> {
    if (start <= 0) return start === 0;
    return await this.#turns.do(async () => (await this.#fill(path, start - 1, start))[0] === NEWLINE);
  }

  async #read(path: string, start: number, end: number): Promise<Block> {
    for (const most of [BLOCK, MAX_LINE]) {
      const bytes = await this.#fill(path, start, Math.min(end, start + most));
      const length = bytes.lastIndexOf(NEWLINE) + 1;
      if (length > 0) {
        return { messages: this.#asMessages(bytes.subarray(0, length), start), end: start + length };
      }
    }
    throw new Deno.errors.NotFound(`Cannot read "${path}": it has become shorter`);
  }

  /** Bytes of a file, until the next call. */
  async #fill(path: string, start: number, end: number): Promise<Uint8Array> {
    const file = await this.fs.openRead(path);
    try {
      let size = 0;
      for (let n = 1; n > 0 && start + size < end; size += n) {
        n = await file.readAt(start + size, this.#lines.subarray(size, end - start));
      }
      return this.#lines.subarray(0, size);
    } finally {
      file.close();
    }
  }

  /** Whole lines of a log that begin at byte `start`, each as a message whose id is the byte behind it. */
  #asMessages(lines: Uint8Array, start: number): Uint8Array {
    let size = 0;
    for (let at = 0; at < lines.length;) {
      const end = lines.indexOf(NEWLINE, at) + 1;
      size += this.#add(sseHead({ id: start + end }), lines.subarray(at, end), size);
      at = end;
    }
    return this.#messages.slice(0, size);
  }

  /** Returns how many bytes were added at `position`. `line` ends in a newline; a second one ends the message. */
  #add(head: string, line: Uint8Array, position: number): number {
    const length = head.length + line.length + 1;
    if (position + length > this.#messages.length) {
      const larger = new Uint8Array(2 * (position + length));
      larger.set(this.#messages);
      this.#messages = larger;
    }
    ENCODER.encodeInto(head, this.#messages.subarray(position));
    this.#messages.set(line, position + head.length);
    this.#messages[position + length - 1] = NEWLINE;
    return length;
  }
}
