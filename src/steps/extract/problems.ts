import { UsageError } from "../../lib/errors.ts";
import { flowYaml } from "../../lib/text/yaml_text.ts";
import type { Advice } from "./row.ts";
import type { Source } from "./sources.ts";

const SHOWN = 20;

/** Something wrong with a line of a source. */
export interface SourceFault {
  readonly origin: string;
  readonly problem: string;
}

/** Collects what is wrong with the sources, up to a readable number, and the options that would fix it. */
export class Problems {
  readonly #shown: SourceFault[] = [];
  readonly #advice = new Set<string>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The first ones. */
  get shown(): readonly SourceFault[] {
    return this.#shown;
  }

  add(
    source: Pick<Source, "label" | "entry">,
    line: number,
    problem: string,
    advice: readonly Advice[] = [],
  ): void {
    if (this.#count++ < SHOWN) this.#shown.push({ origin: `${source.label}:${line}`, problem });
    for (const { when, options } of advice) {
      const { path, options: given } = source.entry;
      this.#advice.add(`${when}: ${flowYaml({ path, ...given, ...options })}`);
    }
  }

  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count > SHOWN ? [`and ${this.#count - SHOWN} more`] : [];
    const lines = [...this.#shown.map(({ origin, problem }) => `${origin}: ${problem}`), ...more].join(
      "\n  ",
    );
    const found = this.#count === 1 ? lines : `${this.#count} problems\n  ${lines}`;
    const { hint } = this;
    throw new UsageError("source-rows", `Cannot read the dataset: ${found}`, {
      ...hint !== undefined && { hint },
    });
  }

  get hint(): string | undefined {
    if (this.#advice.size === 0) return undefined;
    return ["How to read a file can be set in dataset.source and dataset.eval", ...this.#advice].join("\n  ");
  }
}
