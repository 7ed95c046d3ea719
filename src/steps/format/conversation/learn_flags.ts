import type { Json } from "../../../lib/json/json.ts";
import type { Complain, Role } from "./conversation.ts";
import type { RowView } from "../shapes/row_view.ts";

/** Members of a turn that say whether it is trained, and the value for yes. */
const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ["weight", true],
  ["loss", true],
  ["loss_scale", true],
  ["train", true],
  ["training", true],
  ["trainable", true],
  ["learn", true],
  ["masked", false],
  ["mask", false],
  ["ignore", false],
]);
/** Members that say so for a part of a text. */
const PARTIAL = ["train_detail", "training_detail"];

export const FLAG_NAMES: readonly string[] = [...FLAGS.keys()];
export const PARTIAL_FLAG_NAMES: readonly string[] = PARTIAL;

/**
 * Whether a turn is to be learnt as far as its flags say; only the assistant's turns can be. `undefined` after a
 * complaint.
 */
export function learntOf(turn: RowView, role: Role, complain: Complain): boolean | undefined {
  let said: { readonly name: string; readonly value: Json; readonly learnt: boolean } | undefined;
  for (const [name, yes] of FLAGS) {
    const value = turn.peek(name);
    if (value === undefined) continue;
    const flag = flagOf(value);
    if (flag === undefined) {
      return void complain(
        turn.path,
        `has ${name} ${short(value)}, but only 0, 1, false and true are supported`,
      );
    }
    const learnt = flag === yes;
    if (said && said.learnt !== learnt) {
      return void complain(
        turn.path,
        `has ${said.name} ${short(said.value)} and ${name} ${short(value)}, which contradict each other`,
      );
    }
    if (role === "assistant") turn.take(name);
    else if (learnt) {
      return void complain(
        turn.path,
        `has a ${name} of ${short(value)}, but only assistant turns are trained`,
      );
    } else turn.spare(name, "of turns that are never trained");
    said = { name, value, learnt };
  }
  const partial = PARTIAL.find((name) => turn.has(name));
  if (partial !== undefined) {
    return void complain(turn.at(partial), "asks to train on part of a turn, which is not supported");
  }
  return said?.learnt ?? true;
}

/**
 * Whether a flag's value, or the text of one that a CSV file has, says that something is not to be learnt. A number can
 * mean many things, except as a weight.
 */
export function forbidsLearning(name: string, value: Json | undefined): boolean {
  const said = flagValue(value);
  return typeof said === "boolean" ? said !== FLAGS.get(name) : name === "weight" && said === 0;
}

/** A value, or what the text of a CSV cell says. */
export function flagValue(value: Json | undefined): Json | undefined {
  if (typeof value !== "string") return value;
  if (value.length > 7) return undefined;
  const word = value.trim().toLowerCase();
  return word === "true" || word === "false" ? word === "true" : /^0(\.0*)?$/.test(word) ? 0 : undefined;
}

function flagOf(value: Json): boolean | undefined {
  if (typeof value === "boolean") return value;
  return value === 0 || value === 1 ? value === 1 : undefined;
}

function short(value: Json): string {
  return JSON.stringify(value).slice(0, 40);
}
