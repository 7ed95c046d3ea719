/** Up to here every length is counted by itself, beyond in steps of about 1%. */
const EXACT = 4096;
const STEP = Math.log(1.01);
const SLOTS = EXACT + Math.ceil(Math.log(2 ** 32 / EXACT) / STEP) + 1;
const BINS = 24;

/** One bar of a histogram: lengths up to `upTo`, above those of the bar before. */
export type Bin = { readonly upTo: number; readonly count: number };

/** How long things are, in fixed memory. */
export class Lengths {
  readonly #slots = new Float64Array(SLOTS);
  #count = 0;
  #sum = 0;
  #shortest = Infinity;
  #longest = 0;

  add(length: number): void {
    const slot = length < EXACT
      ? length
      : Math.min(SLOTS - 1, EXACT + Math.floor(Math.log(length / EXACT) / STEP));
    this.#slots[slot] = (this.#slots[slot] as number) + 1;
    this.#count++;
    this.#sum += length;
    this.#shortest = Math.min(this.#shortest, length);
    this.#longest = Math.max(this.#longest, length);
  }

  get sum(): number {
    return this.#sum;
  }

  summary() {
    return {
      shortest: this.#count === 0 ? 0 : this.#shortest,
      median: this.#quantile(0.5),
      p90: this.#quantile(0.9),
      p99: this.#quantile(0.99),
      longest: this.#longest,
      histogram: this.#histogram(),
    };
  }

  /** A length that this share of all does not exceed; 1% exact beyond 4096. */
  #quantile(share: number): number {
    let seen = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      seen += this.#slots[slot] as number;
      if (seen > 0 && seen >= share * this.#count) return Math.min(this.#longest, lengthOf(slot));
    }
    return 0;
  }

  /** Even bars up to the 99th percentile, and one for the rest, so that a few giants do not flatten all others. */
  #histogram(): Bin[] {
    if (this.#count === 0) return [];
    const top = this.#quantile(0.99);
    const width = niceWidth((top - this.#shortest + 1) / BINS);
    const first = Math.floor(this.#shortest / width);
    const bins: { upTo: number; count: number }[] = [];
    for (let upTo = (first + 1) * width - 1;; upTo += width) {
      bins.push({ upTo, count: 0 });
      if (upTo >= top) break;
    }
    const end = (bins.at(-1) as Bin).upTo;
    if (this.#longest > end) bins.push({ upTo: this.#longest, count: 0 });
    for (let slot = 0; slot < SLOTS; slot++) {
      const n = this.#slots[slot] as number;
      if (n === 0) continue;
      const at = Math.min(bins.length - 1, Math.max(0, Math.floor(lengthOf(slot) / width) - first));
      (bins[at] as { count: number }).count += n;
    }
    return bins;
  }
}

function lengthOf(slot: number): number {
  return slot < EXACT ? slot : Math.round(EXACT * Math.exp((slot - EXACT) * STEP));
}

/** 1, 2 or 5 times a power of ten. */
function niceWidth(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) as number) * power;
}
