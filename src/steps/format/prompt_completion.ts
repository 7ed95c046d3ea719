import type { JsonObject } from "../../lib/json.ts";
import type { Complain, RawTurn, Shape } from "./conversation.ts";
import { isMessageList, readMessages, textTurn } from "./messages.ts";

/** A prompt and what should follow, each a text or a list of messages. */
export const promptCompletion: Shape = {
  name: "prompt-completion",
  needs: 'the fields "prompt" and "completion"',
  options: '"system"',
  fields: ["prompt", "completion", "system"],
  fits: ({ prompt, completion }) =>
    [prompt, completion].every((value) => typeof value === "string" || isMessageList(value, "role")),
  read(row, complain) {
    const prompt = side(row, "prompt", "user", complain);
    const completion = side(row, "completion", "assistant", complain);
    if (!prompt || !completion) return undefined;
    return { turns: [...systemTurn(row), ...prompt, ...completion] };
  },
};

function side(row: JsonObject, field: string, role: string, complain: Complain): RawTurn[] | undefined {
  return Array.isArray(row[field]) ? readMessages(row[field], field, complain) : [textTurn(role, row, field)];
}

/** The system turn of shapes whose rows may have one; absent and empty mean none. */
export function systemTurn(row: JsonObject): RawTurn[] {
  const { system } = row;
  return system === undefined || system === null || system === "" ? [] : [textTurn("system", row, "system")];
}
