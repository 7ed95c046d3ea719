import { concatBytes } from "../../../lib/files/bytes.ts";
import type { FileReader, FileWriter, Fs } from "../../../lib/files/fs.ts";
import { DigestTable } from "./digest_table.ts";

/** 128 bits of digest, 64 of value. */
const RECORD_BYTES = 24;
const BLOCK_BYTES = RECORD_BYTES * 170;
const RANGES = 512;

interface Range {
  readonly block: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  used: number;
  /** Where its full blocks begin in the file. */
  readonly written: number[];
}

/** Takes in the records of one or more indexes, range after range in the order of their digests. */
export interface DigestVisitor {
  /**
   * One record of the index at `index`. Records with the same digest have the same `slot`; `isNew` with the first
   * of them. Within a range the indexes come one after the other, each in the order its records were added.
   */
  record(slot: number, isNew: boolean, value: number, index: number): void;
  /** After a range, whose slots are 0 to `slots` - 1. False ends the visit. */
  range?(slots: number, digest: (slot: number) => string): boolean;
}

/**
 * Values by digest, for any number of rows. Records lie on disk in blocks, each of one of 512 ranges of digests, and
 * are visited one range at a time. Memory: 2 MiB of open blocks, and the table of the digests of one range (10 MiB
 * for 100 million rows that all differ). A small dataset never touches the disk.
 */
export class DigestIndex {
  readonly #fs: Fs;
  readonly #path: string;
  #file: FileWriter | undefined;
  #size = 0;
  #full: Uint8Array[] = [];
  readonly #ranges: Range[] = Array.from({ length: RANGES }, openRange);

  constructor(path: string, fs: Fs) {
    this.#path = path;
    this.#fs = fs;
  }

  /** `digest`: as `murmur128` makes it. `value`: a whole number below 2⁵³. */
  add(digest: string, value: number): void {
    const range = this.#ranges[digest.charCodeAt(0) >>> 7] as Range;
    for (let i = 0; i < 8; i++) range.view.setUint16(range.used + 2 * i, digest.charCodeAt(i));
    range.view.setFloat64(range.used + 16, value);
    range.used += RECORD_BYTES;
    if (range.used < BLOCK_BYTES) return;
    this.#full.push(range.block.slice());
    range.written.push(this.#size);
    this.#size += BLOCK_BYTES;
    range.used = 0;
  }

  /** Writes the blocks that are full. */
  async drain(): Promise<void> {
    if (this.#full.length === 0) return;
    const blocks = concatBytes(this.#full);
    this.#full = [];
    this.#file ??= await this.#fs.create(this.#path);
    await this.#file.write(blocks);
  }

  static async visit(indexes: readonly DigestIndex[], visitor: DigestVisitor): Promise<void> {
    const readers = await Promise.all(indexes.map((index) => index.#open()));
    const table = new DigestTable();
    const block = new Uint8Array(BLOCK_BYTES);
    try {
      for (let r = 0; r < RANGES; r++) {
        table.clear();
        for (const [i, index] of indexes.entries()) {
          const { written, view, used } = index.#ranges[r] as Range;
          for (const start of written) {
            const read = await readers[i]?.readAt(start, block);
            if (read !== BLOCK_BYTES) {
              throw new RangeError(`Cannot read "${index.#path}": it ends at ${start}`);
            }
            visitBlock(new DataView(block.buffer), BLOCK_BYTES, table, visitor, i);
          }
          visitBlock(view, used, table, visitor, i);
        }
        if (visitor.range?.(table.size, (slot) => table.digest(slot)) === false) return;
      }
    } finally {
      for (const reader of readers) reader?.close();
    }
  }

  async remove(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    await this.#fs.remove(this.#path);
  }

  async #open(): Promise<FileReader | undefined> {
    await this.drain();
    return this.#file && await this.#fs.openRead(this.#path);
  }
}

function openRange(): Range {
  const block = new Uint8Array(BLOCK_BYTES);
  return { block, view: new DataView(block.buffer), used: 0, written: [] };
}

function visitBlock(
  view: DataView,
  used: number,
  table: DigestTable,
  visitor: DigestVisitor,
  index: number,
): void {
  for (let at = 0; at < used; at += RECORD_BYTES) {
    const size = table.size;
    const slot = table.slotOf(
      view.getUint32(at),
      view.getUint32(at + 4),
      view.getUint32(at + 8),
      view.getUint32(at + 12),
    );
    visitor.record(slot, table.size > size, view.getFloat64(at + 16), index);
  }
}
