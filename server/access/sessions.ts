import type { Clock } from "../../src/lib/clock.ts";

export const SESSION_SECONDS = 30 * 24 * 3600;
/** Sessions at once; the oldest ends first. Only who has the token can open one. */
const MOST_SESSIONS = 1000;
const ID_BYTES = 32;

/** Browsers that have shown the token. They are told a number that says nothing about it and ends with the server. */
export class Sessions {
  /** When each ends. */
  readonly #ends = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  open(): string {
    const id = this.clock.randomHex(ID_BYTES);
    this.#ends.set(id, this.clock.monotonic() + SESSION_SECONDS * 1000);
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > MOST_SESSIONS) this.#ends.delete(oldest!);
    return id;
  }

  has(id: string | undefined): boolean {
    const end = id === undefined ? undefined : this.#ends.get(id);
    return end !== undefined && this.clock.monotonic() < end;
  }

  end(id: string): void {
    this.#ends.delete(id);
  }
}
