import type { Json, JsonObject } from "../../lib/json.ts";
import { type Complain, isObject, type RawTurn, type Shape } from "./conversation.ts";
import { isMessageList, readMessages, textTurn } from "./messages.ts";

/** A prompt with an answer that is wanted and one that is not: OpenAI's spelling and TRL's. */
export const preference: Shape = {
  name: "preference",
  needs:
    'the fields "input", "preferred_output" and "non_preferred_output", or "prompt", "chosen" and "rejected"',
  fields: ["input", "preferred_output", "non_preferred_output", "prompt", "chosen", "rejected"],
  fits: (row) => isProtocol(row) || isSide(row["prompt"]) && isSide(row["chosen"]) && isSide(row["rejected"]),
  read(row, complain) {
    const names = isProtocol(row)
      ? { prompt: "input.messages", chosen: "preferred_output", rejected: "non_preferred_output" }
      : { prompt: "prompt", chosen: "chosen", rejected: "rejected" };
    const input = isProtocol(row) ? row["input"] as JsonObject : {};
    const prompt = side(
      { [names.prompt]: input["messages"] ?? row["prompt"] ?? null },
      names.prompt,
      "user",
      complain,
    );
    const chosen = side(row, names.chosen, "assistant", complain);
    const rejected = side(row, names.rejected, "assistant", complain);
    if (!prompt || !chosen || !rejected) return undefined;
    const answer = one(chosen, names.chosen, complain);
    const other = one(rejected, names.rejected, complain);
    if (!answer || !other) return undefined;
    const extras: { [name: string]: Json } = {
      rejected: other.message ?? { role: "assistant", content: other.content ?? null },
    };
    for (const name of ["tools", "parallel_tool_calls"]) {
      if (input[name] !== undefined && input[name] !== null) extras[name] = input[name];
    }
    return { turns: [...prompt, answer], extras };
  },
};

function isProtocol(row: JsonObject): boolean {
  return isObject(row["input"]) && "preferred_output" in row;
}

function isSide(value: Json | undefined): boolean {
  return typeof value === "string" || isMessageList(value, "role");
}

function side(row: JsonObject, field: string, role: string, complain: Complain): RawTurn[] | undefined {
  return typeof row[field] === "string"
    ? [textTurn(role, row, field)]
    : readMessages(row[field], field, complain);
}

/** An answer is one turn of the assistant. TRL's rows may repeat the prompt before it. */
function one(turns: readonly RawTurn[], field: string, complain: Complain): RawTurn | undefined {
  const last = turns.at(-1);
  if (last?.role !== "assistant") return void complain(field, "does not end with the assistant");
  const { content } = last;
  if (typeof content === "string" && content.trim() !== "") return last;
  return void complain(field, "is not a text: services learn preferences from texts alone", content);
}
