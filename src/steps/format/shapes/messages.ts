import type { Json } from "../../../lib/json/json.ts";
import { type Complain, isObject, kindOf, type RawTurn, type Shape } from "../conversation/conversation.ts";
import { isJsonLike, parseJsonCell } from "./json_cell.ts";
import { withSystem } from "./row_fields.ts";
import type { RowView } from "./row_view.ts";

/** OpenAI's chat format. */
export const messages: Shape = {
  name: "messages",
  needs: 'a field "messages": a list of {role, content}',
  options: '"system", "tools"',
  fields: ["messages", "system", "tools", "functions", "parallel_tool_calls", "chat_template_kwargs"],
  fits: ({ messages: list }) => isMessageList(list, "role"),
  read(row, complain) {
    const list = readMessages(row, "messages", complain);
    const turns = list && withSystem(row, list, complain);
    return turns && { turns, offers: row };
  },
};

/** A list of {role, content} in any field. */
export function readMessages(row: RowView, key: string, complain: Complain): RawTurn[] | undefined {
  return readTurns(row, key, "role and content", complain, (view) => ({
    field: view.at("content"),
    role: view.take("role"),
    content: view.take("content"),
    view,
    key: "content",
  }));
}

/** The objects of a list, or of its JSON text, as turns. `members`: what each of them needs, in words. */
export function readTurns(
  row: RowView,
  key: string,
  members: string,
  complain: Complain,
  turn: (view: RowView) => RawTurn,
): RawTurn[] | undefined {
  const field = row.at(key);
  const cell = row.take(key);
  const parsed = isJsonLike(cell) ? parseJsonCell(cell) : undefined;
  if (parsed && !parsed.ok) return void complain(field, parsed.reason, cell);
  const list = parsed?.value ?? cell;
  if (!Array.isArray(list)) return void complain(field, `is ${kindOf(list)}, not a list of messages`, list);
  if (list.length === 0) return void complain(field, "is an empty list");
  const turns: RawTurn[] = [];
  for (const [i, item] of (list as readonly Json[]).entries()) {
    if (!isObject(item)) {
      return void complain(`${field}[${i}]`, `is ${kindOf(item)}, not an object with ${members}`, item);
    }
    turns.push(turn(row.enterItem(key, i, item)));
  }
  return turns;
}

/** Whether a value is a list of objects that name who speaks under `key`, or the JSON text of one. */
export function isMessageList(value: Json | undefined, key: string): boolean {
  const parsed = isJsonLike(value) ? parseJsonCell(value) : undefined;
  const list = parsed?.ok ? parsed.value : value;
  return Array.isArray(list) && list.length > 0 &&
    list.every((item: Json) => isObject(item) && key in item);
}

/** A single text as a turn, for the shapes that hold one text a field. */
export function textTurn(role: string, row: RowView, key: string): RawTurn {
  return { field: row.at(key), role, content: row.take(key) };
}

/** A field that holds one text, or the turns of a conversation. */
export function isSide(value: Json | undefined): boolean {
  return typeof value === "string" || isMessageList(value, "role");
}

export function readSide(row: RowView, key: string, role: string, complain: Complain): RawTurn[] | undefined {
  const value = row.peek(key);
  const list = Array.isArray(value) || isMessageList(value, "role");
  return list ? readMessages(row, key, complain) : [textTurn(role, row, key)];
}
