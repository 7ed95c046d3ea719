import type { Json } from "../../../lib/json/json.ts";
import { type Complain, kindOf, type RawTurn, type Shape } from "../conversation/conversation.ts";
import { isJsonLike, parseJsonCell } from "./json_cell.ts";
import { textTurn } from "./messages.ts";
import { withSystem } from "./row_fields.ts";
import type { RowView } from "./row_view.ts";

/** Stanford's instruction format, with the system and history that later tools added. */
export const alpaca: Shape = {
  name: "alpaca",
  needs: 'the fields "instruction" and "output"',
  options: '"input", "system", "history", "tools"',
  fields: [
    "instruction",
    "input",
    "output",
    "system",
    "history",
    "tools",
    "functions",
    "parallel_tool_calls",
    "chat_template_kwargs",
  ],
  fits: ({ instruction, output }) => typeof instruction === "string" && typeof output === "string",
  read(row, complain) {
    const history = pastTurns(row, complain);
    const user = history && question(row, complain);
    const turns = user && withSystem(row, [...history, user, textTurn("assistant", row, "output")], complain);
    return turns && { turns, offers: row };
  },
};

function question(row: RowView, complain: Complain): RawTurn | undefined {
  const instruction = row.take("instruction");
  const input = row.take("input");
  if (input === undefined || input === "") return textTurn("user", row, "instruction");
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
function pastTurns(row: RowView, complain: Complain): RawTurn[] | undefined {
  const cell = row.take("history");
  if (cell === undefined || cell === "") return [];
  const parsed = isJsonLike(cell) ? parseJsonCell(cell) : undefined;
  if (parsed && !parsed.ok) return void complain("history", parsed.reason, cell);
  const history = parsed?.value ?? cell;
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
