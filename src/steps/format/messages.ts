import type { Json, JsonObject } from "../../lib/json.ts";
import { type Complain, isObject, kindOf, type RawTurn, type Shape } from "./conversation.ts";

/** OpenAI's chat format. */
export const messages: Shape = {
  name: "messages",
  needs: 'a field "messages": a list of {role, content}',
  fields: ["messages", "tools", "parallel_tool_calls"],
  fits: ({ messages: list }) => isMessageList(list, "role"),
  read(row, complain) {
    const turns = readMessages(row["messages"], "messages", complain);
    if (!turns) return undefined;
    const extras: { [name: string]: Json } = {};
    for (const name of ["tools", "parallel_tool_calls"]) {
      const value = row[name];
      if (value !== undefined && value !== null) extras[name] = value;
    }
    return { turns, extras };
  },
};

/** A list of {role, content} in any field. */
export function readMessages(
  list: Json | undefined,
  field: string,
  complain: Complain,
): RawTurn[] | undefined {
  if (!Array.isArray(list)) {
    complain(field, `is ${kindOf(list)}, not a list of messages`, list);
    return undefined;
  }
  if (list.length === 0) return void complain(field, "is an empty list");
  const turns: RawTurn[] = [];
  for (const [i, message] of (list as readonly Json[]).entries()) {
    if (!isObject(message)) {
      return void complain(
        `${field}[${i}]`,
        `is ${kindOf(message)}, not an object with role and content`,
        message,
      );
    }
    turns.push({
      field: `${field}[${i}].content`,
      role: message["role"],
      content: message["content"],
      message,
    });
  }
  return turns;
}

/** Whether a value is a list of objects that name who speaks under `key`. */
export function isMessageList(value: Json | undefined, key: string): boolean {
  return Array.isArray(value) && value.length > 0 &&
    value.every((item: Json) => isObject(item) && key in item);
}

/** A single text as a turn, for the shapes that hold one text a field. */
export function textTurn(role: string, row: JsonObject, field: string): RawTurn {
  return { field, role, content: row[field] };
}
