import { ROLES } from "../conversation/conversation.ts";
import type { Example } from "../example.ts";
import { Lengths } from "./lengths.ts";

/** Figures of one set of examples. */
export class SetFigures {
  readonly #lengths = new Lengths();
  readonly #turns = ROLES.map(() => 0);
  #rows = 0;

  add({ turns, chars }: Example): void {
    this.#rows++;
    this.#lengths.add(chars);
    for (let i = 0; i < turns.length; i++) this.#turns[i] = (this.#turns[i] as number) + (turns[i] as number);
  }

  get rows(): number {
    return this.#rows;
  }

  summary() {
    return {
      rows: this.#rows,
      chars: this.#lengths.sum,
      turns: Object.fromEntries(ROLES.map((role, i) => [role, this.#turns[i] as number])),
      lengths: this.#lengths.summary(),
    };
  }
}

export type SetSummary = ReturnType<SetFigures["summary"]>;
