import { concatBytes } from "../../src/lib/files/bytes.ts";

/** Bytes of the newest messages that are kept for those who read slowly. */
const MOST_KEPT = 1024 * 1024;
/** Bytes that one reader is given at once. */
const MOST_GIVEN = 64 * 1024;

interface Kept {
  readonly bytes: Uint8Array;
  /** Byte of the log behind the event that the message is; undefined for what is not in the log. */
  readonly end: number | undefined;
}

/** Some messages as one piece, and the number of the first that follows. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly next: number;
}

/**
 * The newest messages about a run, numbered. They are kept once for all who watch it, and each of those only knows the
 * number it has come to: whoever falls so far behind that its next message is no longer kept has to connect again.
 */
export class Broadcast {
  #kept: Kept[] = [];
  #bytes = 0;
  #first = 0;
  #ended = false;
  #changed = Promise.withResolvers<void>();
  /** What was given last: those who keep up all get the same piece. */
  #given: (Piece & { readonly from: number; readonly least: number }) | undefined;

  /** Number of the message that comes next. */
  get next(): number {
    return this.#first + this.#kept.length;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  push(bytes: Uint8Array, end?: number): void {
    this.#kept.push({ bytes, end });
    this.#bytes += bytes.length;
    while (this.#bytes > MOST_KEPT) {
      this.#bytes -= this.#kept.shift()!.bytes.length;
      this.#first++;
    }
    this.wake();
  }

  /** Nothing will come after what there is. */
  end(): void {
    this.#ended = true;
    this.wake();
  }

  /** Makes all who wait look again. */
  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** Until something changes after this call. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  isKept(from: number): boolean {
    return from >= this.#first;
  }

  /** What comes from number `from` on, without events up to byte `seen` of the log. Empty when there is nothing. */
  after(from: number, seen: number): Piece {
    if (this.#given?.from === from && this.#given.least > seen) return this.#given;
    const chosen: Uint8Array[] = [];
    let size = 0;
    let next = from;
    let least = Infinity;
    for (; next < this.next; next++) {
      const { bytes, end = Infinity } = this.#kept[next - this.#first]!;
      if (size > 0 && size + bytes.length > MOST_GIVEN) break;
      least = Math.min(least, end);
      if (end <= seen) continue;
      chosen.push(bytes);
      size += bytes.length;
    }
    const piece = { bytes: concatBytes(chosen), next };
    if (least > seen && size > 0) this.#given = { ...piece, from, least };
    return piece;
  }
}
