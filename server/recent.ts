/** The values that were asked for last, at most `most` of them. */
export class Recent<T> {
  readonly #kept = new Map<string, T>();

  constructor(private readonly most: number) {}

  /** The value of a key, made anew where there is none or `isUsable` refuses it. */
  get(key: string, make: () => T, isUsable: (value: T) => boolean = () => true): T {
    let value = this.#kept.get(key);
    if (value === undefined || !isUsable(value)) value = make();
    this.#kept.delete(key);
    this.#kept.set(key, value);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.most) this.#kept.delete(oldest!);
    return value;
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }
}

/** Does work one after the other, whoever asks: two that read the same new lines would count each of them twice. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  do<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
