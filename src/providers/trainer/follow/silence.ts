/** How many times its longest silence so far a trainer may be silent: some phases are long and say little. */
const PATIENCE = 10;

/**
 * How long a trainer has been silent, by a clock that is never set: what it writes is its heartbeat. Its lock says
 * whether it is alive, this whether it gets on.
 */
export class Silence {
  #size = -1;
  #since: number;
  #longest = 0;
  #told = false;

  /** `leastMs`: shorter silences are not reported. */
  constructor(private readonly leastMs: number, now: number) {
    this.#since = now;
  }

  /** Told the size of what it writes at `now`. Returns the silence, once, when it has become suspicious. */
  look(size: number, now: number): number | undefined {
    const silent = now - this.#since;
    if (size !== this.#size) {
      // What was written before anybody looked is no sign of life.
      if (this.#size !== -1) this.#longest = Math.max(this.#longest, silent);
      this.#size = size;
      this.#since = now;
      this.#told = false;
      return undefined;
    }
    if (this.#told || silent < Math.max(this.leastMs, PATIENCE * this.#longest)) return undefined;
    this.#told = true;
    return silent;
  }
}
