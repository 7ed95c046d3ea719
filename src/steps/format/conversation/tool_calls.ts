import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { type Complain, holdsHalfCharacter, isObject, kindOf, type Role } from "./conversation.ts";
import { parseJsonCell } from "../shapes/json_cell.ts";
import { type RowView, withoutNulls } from "../shapes/row_view.ts";

/** A tool call as it is written. */
export type Call = {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
};

/**
 * The tool calls of one conversation: gives ids to those that have none, and knows which of them still wait for an
 * answer. Every call is answered before anybody else speaks.
 */
export class ToolCalls {
  readonly #ids = new Set<string>();
  readonly #open: { readonly id: string; readonly name: string }[] = [];

  /** The call that waits, before which nobody but a tool may speak. */
  get waiting(): string | undefined {
    return this.#open[0]?.id;
  }

  /** Calls of a message: `tool_calls`, or the older `function_call`. `undefined` after a complaint. */
  ofMessage(message: RowView, complain: Complain): readonly Call[] | undefined {
    const many = message.take("tool_calls");
    const one = message.take("function_call");
    if (given(many) && given(one)) {
      return void complain(
        message.at("function_call"),
        "occurs together with tool_calls: a message may have only one of the two",
      );
    }
    if (given(one)) return this.#read(message, "function_call", one, complain);
    return given(many) ? this.#read(message, "tool_calls", many, complain) : [];
  }

  /** Calls that are all a turn has to say: an object, a list or the JSON text of one. */
  ofContent(turn: RowView, key: string, complain: Complain): readonly Call[] | undefined {
    const content = turn.take(key);
    const calls = this.#read(turn, key, content, complain);
    return calls?.length === 0 ? void complain(turn.at(key), "contains no tool call", content) : calls;
  }

  /** The id of the call that a tool's turn answers. Without an id it answers the first that waits. */
  answer(
    field: string,
    id: Json | undefined,
    name: Json | undefined,
    complain: Complain,
  ): string | undefined {
    const byName = this.#open.findIndex((call) => call.name === name);
    const at = id === undefined ? Math.max(0, byName) : this.#open.findIndex((call) => call.id === id);
    const [found] = at < 0 ? [] : this.#open.splice(at, 1);
    if (found) return found.id;
    const why = id === undefined ? "none is open" : "tool_call_id matches none";
    return void complain(field, `answers no open tool call: ${why}`, id);
  }

  #read(holder: RowView, key: string, value: Json | undefined, complain: Complain): Call[] | undefined {
    const field = holder.at(key);
    const parsed = parseJsonCell(value);
    if (!parsed.ok) return void complain(field, parsed.reason, value);
    const list = Array.isArray(parsed.value) ? parsed.value as readonly Json[] : undefined;
    const calls: Call[] = [];
    for (const [i, item] of (list ?? [parsed.value as JsonObject]).entries()) {
      const at = list ? `${field}[${i}]` : field;
      if (!isObject(item)) return void complain(at, `is ${kindOf(item)}, not a tool call`, item);
      const view = list ? holder.enterItem(key, i, item) : holder.enter(key, item);
      const call = this.#call(view, at, complain);
      if (!call) return undefined;
      calls.push(call);
    }
    return calls;
  }

  #call(view: RowView, field: string, complain: Complain): Call | undefined {
    const type = view.take("type");
    const inner = view.peek("function");
    const fn = isObject(inner) ? view.enter("function", inner) : view;
    const name = fn.take("name");
    if (type !== undefined && type !== "function") {
      return void complain(field, `has type ${JSON.stringify(type)}, but only "function" is supported`);
    }
    if (typeof name !== "string" || name === "") return void complain(field, "is a tool call without a name");
    const text = argumentsOf(fn, complain);
    const id = text === undefined ? undefined : this.#idOf(view, field, complain);
    if (text === undefined || id === undefined) return undefined;
    this.#open.push({ id, name });
    return { id, type: "function", function: { name, arguments: text } };
  }

  #idOf(view: RowView, field: string, complain: Complain): string | undefined {
    const given = view.take("id");
    // Ids may begin anew once all calls are answered.
    const waits = this.#open.some(({ id }) => id === given);
    if (given !== undefined && (typeof given !== "string" || given === "" || waits)) {
      const why = waits ? "has the id of another call" : "has an id that is not a text";
      return void complain(field, why, given);
    }
    let id = given;
    for (let n = this.#ids.size; id === undefined; n++) {
      if (!this.#ids.has(`call_${n}`)) id = `call_${n}`;
    }
    this.#ids.add(id);
    return id;
  }
}

/** Arguments as JSON text: of an object, or a text that is one. */
function argumentsOf(fn: RowView, complain: Complain): string | undefined {
  const field = fn.at("arguments");
  const value = fn.take("arguments") ?? fn.take("parameters");
  if (value === undefined || value === "") return "{}";
  const parsed = parseJsonCell(value);
  if (!parsed.ok) return void complain(field, parsed.reason, value);
  if (!isObject(parsed.value as Json)) {
    return void complain(field, `is ${kindOf(parsed.value as Json)}, not an object of arguments`, value);
  }
  if (holdsHalfCharacter(parsed.value as Json)) {
    return void complain(field, "contains half of a surrogate pair", value);
  }
  return typeof value === "string" ? value : JSON.stringify(withoutNulls(value));
}

function given(value: Json | undefined): boolean {
  return value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/** Whether a turn of this role is a tool call by itself, as in ShareGPT and ms-swift. */
export function isCallRole(role: Json | undefined): boolean {
  return role === "function_call" || role === "tool_call";
}

/** What other formats call the turn that answers a tool call. */
const ANSWERS: ReadonlySet<Json> = new Set(["observation", "function_response", "tool_response", "function"]);

export function isAnswerRole(role: Json | undefined): role is Role {
  return typeof role === "string" && ANSWERS.has(role);
}
