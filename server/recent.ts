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
}
