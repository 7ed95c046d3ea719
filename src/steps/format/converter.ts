import { canonicalJson, type Json, type JsonObject } from "../../lib/json.ts";
import type { Abilities } from "../../providers/abilities.ts";
import type { Complain, Conversation, Shape } from "./conversation.ts";
import { excerptOf, type Findings } from "./findings.ts";
import { fitsService } from "./hosted_rules.ts";
import { endWithAssistant, flawsOf } from "./inspect.ts";
import { settle } from "./settle.ts";

const KEPT_NAMES = 50;

/** Turns the rows of one set into conversations and takes down what is wrong with them. */
export class Converter {
  readonly #shape: Shape;
  readonly #abilities: Abilities;
  readonly #findings: Findings;
  readonly #known: ReadonlySet<string>;
  readonly #ignored: Map<string, number>;

  /** `by`: the field a split goes by, which every row must have. `ignored` counts the fields that are left out. */
  constructor(
    shape: Shape,
    abilities: Abilities,
    findings: Findings,
    by: string | undefined,
    ignored: Map<string, number>,
  ) {
    this.#shape = shape;
    this.#abilities = abilities;
    this.#findings = findings;
    this.#known = new Set(by === undefined ? shape.fields : [...shape.fields, by]);
    this.#ignored = ignored;
  }

  convert(origin: string, row: JsonObject): Conversation | undefined {
    const complain: Complain = (field, problem, value) =>
      this.#findings.add("rows", () => ({ origin, field, problem, excerpt: excerptOf(value) }));
    const raw = this.#shape.read(row, complain);
    const conversation = raw && settle(raw, this.#abilities, complain);
    if (!conversation) return undefined;
    if (this.#abilities.tools && !fitsService(conversation, complain)) return undefined;
    for (const { check, field, problem, text } of flawsOf(conversation)) {
      this.#findings.add(check, () => ({ origin, field, problem, excerpt: excerptOf(text) }));
    }
    for (const name of Object.keys(row)) if (!this.#known.has(name)) this.#ignore(name);
    return endWithAssistant(conversation);
  }

  /** What a row's side is decided by; `undefined` after a complaint. */
  groupOf(origin: string, row: JsonObject, by: string): string | undefined {
    const value: Json | undefined = Object.hasOwn(row, by) ? row[by] : undefined;
    if (value !== undefined && value !== null) return canonicalJson(value);
    this.#findings.add("rows", () => ({
      origin,
      field: by,
      problem: `is ${value === null ? "null" : "missing"}, but dataset.split.by goes by it`,
      excerpt: "",
    }));
    return undefined;
  }

  #ignore(name: string): void {
    const count = this.#ignored.get(name);
    if (count !== undefined || this.#ignored.size < KEPT_NAMES) this.#ignored.set(name, (count ?? 0) + 1);
  }
}
