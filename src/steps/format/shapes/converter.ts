import { canonicalJson, type Json, type JsonObject } from "../../../lib/json/json.ts";
import type { Abilities } from "../../../providers/abilities.ts";
import type { RowRules } from "../../../spec/dialects/dialect.ts";
import { ROW_RULES } from "../../../spec/dialects/protocol.ts";
import type { Accounting } from "../report/accounting.ts";
import type { Complain, Conversation, Shape } from "../conversation/conversation.ts";
import { excerptOf, type Findings } from "../checks/findings.ts";
import { fitsService } from "../conversation/hosted_rules.ts";
import { endWithAnswer, flawsOf } from "../conversation/inspect_conversation.ts";
import { mayBeLearnt } from "./row_fields.ts";
import { checkConversation } from "../conversation/check_conversation.ts";
import { RowView } from "./row_view.ts";

/** Turns the rows of one set into conversations, takes down what is wrong with them, and counts what is left over. */
export class Converter {
  readonly #shape: Shape;
  readonly #abilities: Abilities;
  readonly #findings: Findings;
  readonly #by: string | undefined;
  readonly #accounting: Accounting;
  readonly #rules: RowRules;

  /** `by`: the field a split goes by, which every row must have. `rules`: those of the service, for hosted training. */
  constructor(
    shape: Shape,
    abilities: Abilities,
    findings: Findings,
    by: string | undefined,
    accounting: Accounting,
    rules: RowRules = ROW_RULES,
  ) {
    this.#shape = shape;
    this.#abilities = abilities;
    this.#findings = findings;
    this.#by = by;
    this.#accounting = accounting;
    this.#rules = rules;
  }

  convert(origin: string, row: JsonObject): Conversation | undefined {
    const complain: Complain = (field, problem, value) =>
      this.#findings.add("rows", () => ({ origin, field, problem, excerpt: excerptOf(value) }));
    const view = new RowView(row);
    const conversation = this.#read(view, complain);
    if (!conversation) return undefined;
    if (this.#by !== undefined) view.take(this.#by);
    for (const { check, field, problem, text } of flawsOf(conversation)) {
      this.#findings.add(check, () => ({ origin, field, problem, excerpt: excerptOf(text) }));
    }
    const kept = endWithAnswer(conversation);
    this.#accounting.addRow(view);
    const cut = conversation.turns.length - kept.turns.length;
    if (cut > 0) this.#accounting.addCut("turns", "after the last trained answer", cut);
    return kept;
  }

  #read(view: RowView, complain: Complain): Conversation | undefined {
    const raw = this.#shape.read(view, complain);
    const conversation = raw && checkConversation(raw, this.#abilities, complain);
    if (!conversation) return undefined;
    if (!mayBeLearnt(view, this.#shape.explicit === true, this.#abilities, complain)) return undefined;
    return !this.#abilities.hosted || fitsService(raw.turns, conversation, complain, this.#rules)
      ? conversation
      : undefined;
  }

  /** What a row's side is decided by; `undefined` after a complaint. */
  groupOf(origin: string, row: JsonObject, by: string): string | undefined {
    const value: Json | undefined = Object.hasOwn(row, by) ? row[by] : undefined;
    if (value !== undefined && value !== null) return canonicalJson(value);
    this.#findings.add("rows", () => ({
      origin,
      field: by,
      problem: `is ${value === null ? "null" : "missing"}, but dataset.split.by uses it`,
      excerpt: "",
    }));
    return undefined;
  }
}
