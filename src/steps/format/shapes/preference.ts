import { canonicalJson, type Json, type JsonObject } from "../../../lib/json/json.ts";
import { type Complain, isObject, kindOf, type RawTurn, type Shape } from "../conversation/conversation.ts";
import { isSide, readSide } from "./messages.ts";
import { withSystem } from "./row_fields.ts";
import type { RowView } from "./row_view.ts";

/** A prompt with an answer that is wanted and one that is not: OpenAI's spelling and TRL's. */
export const preference: Shape = {
  name: "preference",
  needs:
    'the fields "input", "preferred_output" and "non_preferred_output", or "prompt", "chosen" and "rejected"',
  options: '"system", "tools"',
  fields: [
    "input",
    "preferred_output",
    "non_preferred_output",
    "prompt",
    "chosen",
    "rejected",
    "system",
    "tools",
    "functions",
    "parallel_tool_calls",
    "chat_template_kwargs",
  ],
  fits: (row) => isProtocol(row) || isSide(row["prompt"]) && isSide(row["chosen"]) && isSide(row["rejected"]),
  read(row, complain) {
    const input = row.peek("input");
    const protocol = isObject(input) && row.peek("preferred_output") !== undefined;
    const asked = protocol ? row.enter("input", input) : row;
    const [ask, good, bad] = protocol
      ? ["messages", "preferred_output", "non_preferred_output"] as const
      : ["prompt", "chosen", "rejected"] as const;
    const prompt = side(asked, ask, "user", complain);
    const chosen = prompt && side(row, good, "assistant", complain);
    const rejected = chosen && side(row, bad, "assistant", complain);
    if (!rejected) return undefined;
    const answer = one(chosen, prompt, good, complain);
    const other = answer && one(rejected, prompt, bad, complain);
    const turns = other && withSystem(row, [...prompt, answer], complain);
    return turns && { turns, rejected: other, offers: asked };
  },
};

function isProtocol(row: JsonObject): boolean {
  return isObject(row["input"]) && "preferred_output" in row;
}

function side(row: RowView, key: string, role: string, complain: Complain): RawTurn[] | undefined {
  const value = row.peek(key);
  if (value !== undefined && (typeof value === "string" || Array.isArray(value))) {
    return readSide(row, key, role, complain);
  }
  return void complain(row.at(key), `is ${kindOf(value)}, not a list of messages`, value);
}

/** An answer is one turn of the assistant. TRL's rows may repeat the prompt before it. */
function one(
  turns: readonly RawTurn[],
  prompt: readonly RawTurn[],
  field: string,
  complain: Complain,
): RawTurn | undefined {
  const last = turns.at(-1);
  if (last?.role !== "assistant") return void complain(field, "does not end with the assistant");
  const { content } = last;
  if (typeof content !== "string" || content.trim() === "") {
    return void complain(field, "is not text: services train preferences on text only", content);
  }
  const before = turns.slice(0, -1);
  if (before.length === 0 || said(before) === said(prompt)) return last;
  return void complain(field, "has turns before the answer: an answer is one turn");
}

function said(turns: readonly RawTurn[]): string {
  return canonicalJson(turns.map(({ role, content }): Json => [role ?? null, content ?? null]));
}
