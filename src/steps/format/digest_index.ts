import { concatBytes } from "../../lib/bytes.ts";
import type { FileWriter, Fs } from "../../lib/fs.ts";

/** 128 bits of digest, 64 of value. */
const RECORD_BYTES = 24;
const BLOCK_BYTES = RECORD_BYTES * 340;
const BUCKETS = 512;

interface Bucket {
  readonly block: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  used: number;
  /** Where its full blocks begin in the file. */
  readonly written: number[];
}

/**
 * Groups values by digest, for any number of rows. Records lie on disk in blocks, each of one of 512 ranges of
 * digests, and are taken up one range at a time. Memory: 4 MiB of open blocks, and the groups of one range
 * (200,000 groups for 100 million rows that all differ). A small data set never touches the disk.
 */
export class DigestIndex {
  readonly #fs: Fs;
  readonly #path: string;
  #file: FileWriter | undefined;
  #size = 0;
  #full: Uint8Array[] = [];
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, openBucket);

  constructor(path: string, fs: Fs) {
    this.#path = path;
    this.#fs = fs;
  }

  /** `digest`: 32 hex digits. `value`: a whole number below 2⁵³. */
  add(digest: string, value: number): void {
    const bucket = this.#buckets[Number.parseInt(digest.slice(0, 3), 16) >>> 3] as Bucket;
    for (let i = 0; i < 4; i++) {
      bucket.view.setUint32(bucket.used + 4 * i, Number.parseInt(digest.slice(8 * i, 8 * i + 8), 16));
    }
    bucket.view.setFloat64(bucket.used + 16, value);
    bucket.used += RECORD_BYTES;
    if (bucket.used < BLOCK_BYTES) return;
    this.#full.push(bucket.block.slice());
    bucket.written.push(this.#size);
    this.#size += BLOCK_BYTES;
    bucket.used = 0;
  }

  /** Writes the blocks that are full. */
  async drain(): Promise<void> {
    if (this.#full.length === 0) return;
    const blocks = concatBytes(this.#full);
    this.#full = [];
    this.#file ??= await this.#fs.create(this.#path);
    await this.#file.write(blocks);
  }

  /**
   * The groups, range after range in the order of their digests. `fold` takes in the values of a group in the
   * order they were added.
   */
  async *groups<Group>(
    fold: (group: Group | undefined, value: number) => Group,
  ): AsyncGenerator<ReadonlyMap<string, Group>> {
    await this.drain();
    for (const bucket of this.#buckets) {
      const groups = new Map<string, Group>();
      for (const start of bucket.written) {
        for await (const chunk of wholeRecords(this.#fs.readStream(this.#path, start, start + BLOCK_BYTES))) {
          gather(chunk, fold, groups);
        }
      }
      gather(bucket.block.subarray(0, bucket.used), fold, groups);
      if (groups.size > 0) yield groups;
    }
  }

  async remove(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    await this.#fs.remove(this.#path);
  }
}

function openBucket(): Bucket {
  const block = new Uint8Array(BLOCK_BYTES);
  return { block, view: new DataView(block.buffer), used: 0, written: [] };
}

/** A read may end anywhere, also within a record. */
async function* wholeRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : concatBytes([held, chunk]);
    const whole = bytes.length - bytes.length % RECORD_BYTES;
    yield bytes.subarray(0, whole);
    held = bytes.slice(whole);
  }
}

function gather<Group>(
  records: Uint8Array,
  fold: (group: Group | undefined, value: number) => Group,
  groups: Map<string, Group>,
): void {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at < records.length; at += RECORD_BYTES) {
    let digest = "";
    for (let i = 0; i < 4; i++) digest += view.getUint32(at + 4 * i).toString(16).padStart(8, "0");
    groups.set(digest, fold(groups.get(digest), view.getFloat64(at + 16)));
  }
}
