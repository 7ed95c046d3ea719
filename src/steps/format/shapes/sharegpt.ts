import type { Json } from "../../../lib/json/json.ts";
import type { Shape } from "../conversation/conversation.ts";
import { isMessageList, readMessages, readTurns } from "./messages.ts";
import { withSystem } from "./row_fields.ts";

/** What the tools that write this format call the speakers, where messages call them otherwise. */
const SPEAKERS: ReadonlyMap<Json, string> = new Map([
  ["human", "user"],
  ["gpt", "assistant"],
  ["chatgpt", "assistant"],
  ["model", "assistant"],
]);

/** Conversations of {from, value}; some tools write {role, content} under the same name. */
export const sharegpt: Shape = {
  name: "sharegpt",
  needs: 'a field "conversations": a list of {from, value}',
  options: '"system", "tools"',
  fields: ["conversations", "system", "tools", "functions", "parallel_tool_calls", "chat_template_kwargs"],
  fits: ({ conversations: list }) => isMessageList(list, "from") || isMessageList(list, "role"),
  read(row, complain) {
    const list = isMessageList(row.peek("conversations"), "role")
      ? readMessages(row, "conversations", complain)
      : readTurns(row, "conversations", "from and value", complain, (view) => {
        const from = view.take("from");
        return {
          field: view.at("value"),
          role: from === undefined ? undefined : SPEAKERS.get(from) ?? from,
          content: view.take("value"),
          view,
          key: "value",
        };
      });
    const turns = list && withSystem(row, list, complain);
    return turns && { turns, offers: row };
  },
};
