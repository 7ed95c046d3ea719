import type { Json, JsonObject } from "../../lib/json.ts";
import { type Complain, kindOf, type RawTurn, type Shape } from "./conversation.ts";
import { textTurn } from "./messages.ts";
import { systemTurn } from "./prompt_completion.ts";

/** Stanford's instruction format, with the system and history that later tools added. */
export const alpaca: Shape = {
  name: "alpaca",
  needs: 'the fields "instruction" and "output"',
  options: '"input", "system", "history"',
  fields: ["instruction", "input", "output", "system", "history"],
  fits: ({ instruction, output }) => typeof instruction === "string" && typeof output === "string",
  read(row, complain) {
    const history = pastTurns(row["history"], complain);
    const user = question(row, complain);
    if (!history || !user) return undefined;
    return { turns: [...systemTurn(row), ...history, user, textTurn("assistant", row, "output")] };
  },
};

function question(row: JsonObject, complain: Complain): RawTurn | undefined {
  const { instruction, input } = row;
  if (input === undefined || input === null || input === "") return textTurn("user", row, "instruction");
  if (typeof input !== "string") return void complain("input", `is ${kindOf(input)}, not a text`, input);
  if (typeof instruction !== "string") {
    return void complain("instruction", `is ${kindOf(instruction)}, not a text`, instruction);
  }
  return {
    field: "instruction",
    role: "user",
    content: instruction === "" ? input : `${instruction}\n${input}`,
  };
}

/** `[[question, answer], …]` of the turns before. */
function pastTurns(history: Json | undefined, complain: Complain): RawTurn[] | undefined {
  if (history === undefined || history === null || history === "") return [];
  if (!Array.isArray(history)) {
    return void complain("history", `is ${kindOf(history)}, not a list of pairs`, history);
  }
  const turns: RawTurn[] = [];
  for (const [i, pair] of (history as readonly Json[]).entries()) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      return void complain(`history[${i}]`, "is not a pair of question and answer", pair);
    }
    turns.push({ field: `history[${i}][0]`, role: "user", content: pair[0] as Json });
    turns.push({ field: `history[${i}][1]`, role: "assistant", content: pair[1] as Json });
  }
  return turns;
}
