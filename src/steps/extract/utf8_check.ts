import { concatBytes, utf8Fault } from "../../lib/bytes.ts";

/** Checks that chunks are UTF-8, sequences across chunks included. Answers with a position in the file, or -1. */
export class Utf8Check {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The last bytes seen: a sequence that the next chunk continues is among them. */
  #tail: Uint8Array = new Uint8Array();
  /** Position of the next chunk. */
  #offset: number;

  constructor(start: number) {
    this.#offset = start;
  }

  push(chunk: Uint8Array): number {
    try {
      this.#decoder.decode(chunk, { stream: true });
    } catch {
      return this.#locate(chunk);
    }
    this.#offset += chunk.length;
    this.#tail = tailOf(this.#tail.length > 0 && chunk.length < 4 ? concatBytes([this.#tail, chunk]) : chunk);
    return -1;
  }

  /** A file must not end within a sequence. */
  end(): number {
    return this.#tail.length > 0 ? this.#offset - this.#tail.length : -1;
  }

  #locate(chunk: Uint8Array): number {
    return this.#offset - this.#tail.length + utf8Fault(concatBytes([this.#tail, chunk]));
  }
}

/** The bytes of a sequence that has begun and not ended. */
function tailOf(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const tail = bytes.slice(bytes.length - back);
    const lead = tail[0] as number;
    if (lead < 0x80) break;
    if (lead >= 0xc0) return utf8Fault(tail) < 0 ? new Uint8Array() : tail;
  }
  return new Uint8Array();
}
