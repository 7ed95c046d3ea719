import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { type Complain, holdsHalfCharacter, isObject, kindOf } from "./conversation.ts";
import { parseJsonCell } from "../shapes/json_cell.ts";
import { type RowView, withoutNulls } from "../shapes/row_view.ts";

/** The tools that a row offers, or its older functions, in OpenAI's spelling. `null` after a complaint. */
export function toolsOf(row: RowView, complain: Complain): readonly JsonObject[] | undefined | null {
  const tools = readList(row, "tools", complain);
  const functions = tools === null ? null : readList(row, "functions", complain);
  if (tools === null || functions === null) return null;
  if (tools && functions && JSON.stringify(tools) !== JSON.stringify(functions)) {
    return complain(row.at("functions"), "differs from tools: a row has one list of tools") ?? null;
  }
  return tools ?? functions;
}

function readList(row: RowView, key: string, complain: Complain): readonly JsonObject[] | undefined | null {
  const cell = row.take(key);
  if (cell === undefined || cell === "") return undefined;
  const field = row.at(key);
  const parsed = parseJsonCell(cell);
  if (!parsed.ok) return complain(field, parsed.reason, cell) ?? null;
  if (!Array.isArray(parsed.value)) return complain(field, `is ${kindOf(parsed.value)}, not a list`) ?? null;
  const tools: JsonObject[] = [];
  for (const [i, item] of (parsed.value as readonly Json[]).entries()) {
    const tool = asTool(item);
    if (!tool) return complain(`${field}[${i}]`, "is not a function with a name", item) ?? null;
    tools.push(tool);
  }
  if (holdsHalfCharacter(tools)) {
    return complain(field, "contains half of a surrogate pair") ?? null;
  }
  return tools.length === 0 ? undefined : tools;
}

/** A tool, or the function alone, without the padding of Arrow exports. */
function asTool(item: Json): JsonObject | undefined {
  const tool = withoutNulls(item);
  if (!isObject(tool)) return undefined;
  const whole = tool["function"] === undefined ? { type: "function", function: withoutType(tool) } : tool;
  const { type = "function", function: fn } = whole as { type?: Json; function?: Json };
  if (type !== "function" || !isObject(fn) || typeof fn["name"] !== "string" || fn["name"] === "") {
    return undefined;
  }
  return { ...whole, type };
}

/** The Responses API puts the type beside the function's own members. */
function withoutType(tool: JsonObject): JsonObject {
  const { type, ...fn } = tool;
  return type === undefined || type === "function" ? fn : tool;
}
