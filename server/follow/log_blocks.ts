import type { ReadFs } from "../../src/lib/files/read_fs.ts";
import { MAX_LINE } from "../../src/log/events.ts";
import { Recent } from "../recent.ts";
import { joined, sseMessage } from "./sse.ts";

/** Bytes of a log that are sent at once. A longer line is sent alone. */
const BLOCK = 32 * 1024;
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

  constructor(private readonly fs: ReadFs) {}

  /** The lines of `path` from byte `start` on, of which those up to byte `end` are known to be events. */
  async at(path: string, start: number, end: number): Promise<Block> {
    const known = Math.min(end, start + MAX_LINE);
    // As the log grows, its last block does too.
    const key = `${path}\0${start}\0${known}`;
    const block = this.#kept.get(key, () => this.#read(path, start, known));
    try {
      return await block;
    } catch (error) {
      this.#kept.forget(key);
      throw error;
    }
  }

  /** Whether a line begins at byte `start`, or would. */
  async isLineStart(path: string, start: number): Promise<boolean> {
    if (start <= 0) return start === 0;
    const [byte] = await bytesOf(this.fs, path, start - 1, start);
    return byte === 10;
  }

  async #read(path: string, start: number, end: number): Promise<Block> {
    for (const most of [BLOCK, MAX_LINE]) {
      const bytes = await bytesOf(this.fs, path, start, Math.min(end, start + most));
      const length = bytes.lastIndexOf(10) + 1;
      if (length > 0) return { messages: asMessages(bytes.subarray(0, length), start), end: start + length };
    }
    throw new Deno.errors.NotFound(`Cannot read "${path}": it has become shorter`);
  }
}

async function bytesOf(fs: ReadFs, path: string, start: number, end: number): Promise<Uint8Array> {
  const all = new Uint8Array(end - start);
  let size = 0;
  for await (const chunk of fs.readChunks(path, start, end)) {
    all.set(chunk, size);
    size += chunk.length;
  }
  return all.subarray(0, size);
}

/** Whole lines of a log that begin at byte `start`, each as a message whose id is the byte behind it. */
function asMessages(lines: Uint8Array, start: number): Uint8Array {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < lines.length;) {
    const end = lines.indexOf(10, at);
    messages.push(sseMessage({ id: start + end + 1, data: lines.subarray(at, end) }));
    at = end + 1;
  }
  return joined(messages);
}
