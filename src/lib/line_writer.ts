import type { FileWriter, Fs } from "./fs.ts";

const FLUSH_CHARS = 256 * 1024;

/** Gathers lines into large writes. `await writer.drain()` now and then keeps the memory bounded. */
export class LineWriter {
  readonly #file: FileWriter;
  #lines: string[] = [];
  #chars = 0;
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
    this.#lines.push(line);
    this.#chars += line.length;
    this.#count++;
  }

  /** Writes when enough has gathered. */
  async drain(): Promise<void> {
    if (this.#chars >= FLUSH_CHARS) await this.#flush();
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
    if (this.#lines.length === 0) return;
    const text = this.#lines.join("\n") + "\n";
    this.#lines = [];
    this.#chars = 0;
    await this.#file.write(text);
  }
}
