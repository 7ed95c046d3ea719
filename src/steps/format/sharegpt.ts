import type { Json } from "../../lib/json.ts";
import { isObject, kindOf, type RawTurn, type Shape } from "./conversation.ts";
import { isMessageList, readMessages } from "./messages.ts";
import { systemTurn } from "./prompt_completion.ts";

/** What the tools that write this format call the speakers. */
const SPEAKERS: ReadonlyMap<Json, string> = new Map([
  ["human", "user"],
  ["gpt", "assistant"],
  ["chatgpt", "assistant"],
  ["model", "assistant"],
  ["observation", "tool"],
]);

/** Conversations of {from, value}; some tools write {role, content} under the same name. */
export const sharegpt: Shape = {
  name: "sharegpt",
  needs: 'a field "conversations": a list of {from, value}',
  options: '"system"',
  fields: ["conversations", "system"],
  fits: ({ conversations: list }) => isMessageList(list, "from") || isMessageList(list, "role"),
  read(row, complain) {
    const list = row["conversations"];
    if (isMessageList(list, "role")) {
      const turns = readMessages(list, "conversations", complain);
      return turns && { turns: [...systemTurn(row), ...turns] };
    }
    if (!Array.isArray(list)) {
      return void complain("conversations", `is ${kindOf(list)}, not a list of turns`, list);
    }
    if (list.length === 0) return void complain("conversations", "is an empty list");
    const turns: RawTurn[] = [];
    for (const [i, item] of (list as readonly Json[]).entries()) {
      if (!isObject(item)) {
        return void complain(
          `conversations[${i}]`,
          `is ${kindOf(item)}, not an object with from and value`,
          item,
        );
      }
      const { from, value } = item;
      const role = from === undefined ? undefined : SPEAKERS.get(from) ?? from;
      turns.push({ field: `conversations[${i}].value`, role, content: value });
    }
    return { turns: [...systemTurn(row), ...turns] };
  },
};
