import { UsageError } from "../../lib/errors.ts";
import { flowYaml } from "../../lib/text/yaml_text.ts";
import type { Advice } from "./row.ts";
import type { Source } from "./sources.ts";

const SHOWN = 20;

/** Collects what is wrong with the sources, up to a readable number, and the options that would fix it. */
export class Problems {
  readonly #shown: string[] = [];
  readonly #advice = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(
    source: Pick<Source, "label" | "entry">,
    line: number,
    problem: string,
    advice: readonly Advice[] = [],
  ): void {
    if (this.#count++ < SHOWN) this.#shown.push(`${source.label}:${line}: ${problem}`);
    for (const { when, options } of advice) {
      const { path, options: given } = source.entry;
      this.#advice.add(`${when}: ${flowYaml({ path, ...given, ...options })}`);
    }
  }

  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count > SHOWN ? [`and ${this.#count - SHOWN} more`] : [];
    const lines = [...this.#shown, ...more].join("\n  ");
    const found = this.#count === 1 ? lines : `${this.#count} problems\n  ${lines}`;
    const hint = this.#advice.size === 0 ? {} : {
      hint: ["How to read a file can be set in dataset.source and dataset.eval", ...this.#advice].join(
        "\n  ",
      ),
    };
    throw new UsageError("source-rows", `Cannot read the dataset: ${found}`, hint);
  }
}
