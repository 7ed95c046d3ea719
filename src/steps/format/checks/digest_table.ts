/** Numbers different digests from 0, in typed arrays: a map of a million strings would be a hundred times the data. */
export class DigestTable {
  /** Open addressing: the slot's number plus 1, 0 where nothing is. At most half full. */
  #places = new Uint32Array(1024);
  /** Four words a slot. */
  #words = new Uint32Array(4 * 512);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#places.fill(0);
    this.#size = 0;
  }

  /** The digest's number. It is new when `size` has grown. */
  slotOf(a: number, b: number, c: number, d: number): number {
    if (2 * this.#size === this.#places.length) this.#grow();
    const words = this.#words;
    let place = this.#placeOf(d);
    for (
      let slot;
      (slot = this.#places[place] as number) > 0;
      place = (place + 1) & (this.#places.length - 1)
    ) {
      const at = 4 * (slot - 1);
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) {
        return slot - 1;
      }
    }
    words.set([a, b, c, d], 4 * this.#size);
    this.#places[place] = ++this.#size;
    return this.#size - 1;
  }

  /** As `murmur128` makes it. */
  digest(slot: number): string {
    const units = [];
    for (const word of this.#words.subarray(4 * slot, 4 * slot + 4)) units.push(word >>> 16, word & 0xffff);
    return String.fromCharCode(...units);
  }

  #placeOf(d: number): number {
    return d & (this.#places.length - 1);
  }

  #grow(): void {
    const words = new Uint32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    this.#places = new Uint32Array(2 * this.#places.length);
    for (let slot = 0; slot < this.#size; slot++) {
      let place = this.#placeOf(words[4 * slot + 3] as number);
      while (this.#places[place] as number > 0) place = (place + 1) & (this.#places.length - 1);
      this.#places[place] = slot + 1;
    }
  }
}
