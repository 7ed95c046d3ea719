import type { FileWriter, Fs } from "./fs.ts";

const FLUSH_BYTES = 128 * 1024;
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const MAX_UNIT_BYTES = 3;
const NEWLINE = 10;

/**
 * Gathers lines into large writes. `await writer.drain()` now and then keeps the memory bounded. Lines are encoded as
 * they come, into one buffer: kept as strings they would outlive V8's short-lived generation and swell the heap.
 */
export class LineWriter {
  readonly #file: FileWriter;
  readonly #encoder = new TextEncoder();
  #buffer = new Uint8Array(2 * FLUSH_BYTES);
  #used = 0;
  #count = 0;
  #closed = false;

  private constructor(file: FileWriter) {
    this.#file = file;
  }

  static async create(path: string, fs: Fs): Promise<LineWriter> {
    return new LineWriter(await fs.create(path));
  }

  /** Lines added so far. */
  get count(): number {
    return this.#count;
  }

  /** `line` has no newline. */
  add(line: string): void {
    const room = this.#used + MAX_UNIT_BYTES * line.length + 1;
    if (room > this.#buffer.length) this.#grow(room);
    this.#used += this.#encoder.encodeInto(line, this.#buffer.subarray(this.#used)).written;
    this.#buffer[this.#used++] = NEWLINE;
    this.#count++;
  }

  /** Writes when enough has gathered. */
  async drain(): Promise<void> {
    if (this.#used >= FLUSH_BYTES) await this.#flush();
  }

  /** Writes the rest and closes. */
  async finish(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.abandon();
    }
  }

  /** Closes after a failure, whatever was written. Does nothing once it is closed. */
  async abandon(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#used = 0;
    if (bytes.length > 0) await this.#file.write(bytes);
  }

  #grow(room: number): void {
    const buffer = new Uint8Array(Math.max(room, 2 * this.#buffer.length));
    buffer.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = buffer;
  }
}
