import { UsageError } from "../../lib/errors.ts";

const SHOWN = 20;

/** What is wrong with the sources, up to as much as a person wants to read at once. */
export class Problems {
  readonly #shown: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(where: string, problem: string): void {
    if (this.#count++ < SHOWN) this.#shown.push(`${where}: ${problem}`);
  }

  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count > SHOWN ? [`and ${this.#count - SHOWN} more`] : [];
    const lines = [...this.#shown, ...more].join("\n  ");
    const found = this.#count === 1 ? lines : `${this.#count} problems\n  ${lines}`;
    throw new UsageError("source-rows", `Cannot read the dataset: ${found}`);
  }
}
