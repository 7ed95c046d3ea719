import { isIPv6 } from "node:net";
import type { Clock } from "../../src/lib/clock.ts";

/** Wrong tokens that may come at once, and how long it takes until one more may. */
interface Allowance {
  readonly most: number;
  readonly everyMs: number;
}

const EACH: Allowance = { most: 10, everyMs: 30_000 };
/** From all addresses together: whoever has many of them gets no further than this. */
const ALL: Allowance = { most: 100, everyMs: 1000 };
/** Addresses that are remembered. The one that was wrong longest ago is forgotten first. */
const MOST_ADDRESSES = 1000;

/** Counts wrong tokens: after ten from one address, each further one has to wait. */
export class Attempts {
  /** When the whole allowance of an address will be there again. */
  readonly #refilled = new Map<string, number>();
  /** Addresses that have shown the token: wrong ones from elsewhere do not hold them up. */
  readonly #trusted = new Set<string>();
  #allRefilled = 0;

  constructor(private readonly clock: Clock) {}

  /** Milliseconds until a token from this address is looked at; 0: now. */
  waitFor(address: string): number {
    const network = networkOf(address);
    const own = this.#wait(this.#refilled.get(network) ?? 0, EACH);
    return this.#trusted.has(network) ? own : Math.max(own, this.#wait(this.#allRefilled, ALL));
  }

  wrong(address: string): void {
    const network = networkOf(address);
    const now = this.clock.monotonic();
    const refilled = Math.max(this.#refilled.get(network) ?? 0, now) + EACH.everyMs;
    this.#refilled.delete(network);
    this.#refilled.set(network, refilled);
    dropOldest(this.#refilled);
    this.#allRefilled = Math.max(this.#allRefilled, now) + ALL.everyMs;
  }

  right(address: string): void {
    const network = networkOf(address);
    this.#trusted.delete(network);
    this.#trusted.add(network);
    dropOldest(this.#trusted);
  }

  #wait(refilled: number, { most, everyMs }: Allowance): number {
    return Math.max(0, refilled - this.clock.monotonic() - (most - 1) * everyMs);
  }
}

function dropOldest(kept: Map<string, unknown> | Set<string>): void {
  const [oldest] = kept.keys();
  if (kept.size > MOST_ADDRESSES) kept.delete(oldest!);
}

/** One machine may use every address of an IPv6 /64: they count as one. */
function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%")[0]!.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill("0"), ...after];
  return all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}
