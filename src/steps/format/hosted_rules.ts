import type { Json, JsonObject } from "../../lib/json.ts";
import { type Complain, type Conversation, isObject, kindOf, type Turn } from "./conversation.ts";

const MESSAGE_FIELDS = [
  "role",
  "content",
  "name",
  "weight",
  "tool_calls",
  "tool_call_id",
  "function_call",
  "refusal",
];
const SPECIAL = /<\|[a-z_]+\|>/;
const MOST_IMAGES = 10;

/**
 * The rules of hosted services, which check rows only after the upload. False after a complaint: the row cannot be
 * sent as it is.
 */
export function fitsService({ turns, extras }: Conversation, complain: Complain): boolean {
  const rules = [strayFields, weights, specialTokens, images];
  for (const turn of turns) {
    for (const rule of rules) {
      const problem = rule(turn);
      if (problem) return complain(turn.field, problem, turn.message["content"]) ?? false;
    }
  }
  const unanswered = calls(turns) ?? tools(extras["tools"]);
  return unanswered === undefined || (complain(unanswered.field, unanswered.problem) ?? false);
}

function strayFields({ message }: Turn): string | undefined {
  const stray = Object.keys(message).find((name) => !MESSAGE_FIELDS.includes(name));
  return stray === undefined
    ? undefined
    : `belongs to a message with an extra "${stray}", which services refuse`;
}

function weights({ role, message }: Turn): string | undefined {
  const { weight } = message;
  if (weight === undefined) return undefined;
  if (role !== "assistant") return "has a weight, which only turns of the assistant may have";
  return weight === 0 || weight === 1
    ? undefined
    : `has weight ${JSON.stringify(weight)}, services take 0 or 1`;
}

function specialTokens({ text }: Turn): string | undefined {
  const found = SPECIAL.exec(text)?.[0];
  return found === undefined ? undefined : `holds the special token ${found}, which fails a job`;
}

function images({ role, message }: Turn): string | undefined {
  const parts = Array.isArray(message["content"]) ? message["content"] as readonly JsonObject[] : [];
  const found = parts.filter((part) => part["type"] === "image_url");
  if (found.length === 0) return undefined;
  if (role !== "user") return `holds an image, which only turns of the user may`;
  if (found.length > MOST_IMAGES) return `holds ${found.length} images, services take ${MOST_IMAGES}`;
  const wrong = found.find((part) => !/^(https?:\/\/|data:image\/(jpeg|png|webp);base64,)/.test(urlOf(part)));
  return wrong && "holds an image that is neither an http address nor JPEG, PNG or WEBP data";
}

function urlOf(part: JsonObject): string {
  const image = part["image_url"];
  return isObject(image) && typeof image["url"] === "string" ? image["url"] : "";
}

interface Fault {
  readonly field: string;
  readonly problem: string;
}

/** Every call has an id, a name and arguments, and each is answered before anybody else speaks. */
function calls(turns: readonly Turn[]): Fault | undefined {
  let open = new Set<string>();
  for (const [i, { field, role, message }] of turns.entries()) {
    if (role === "tool") {
      const id = message["tool_call_id"];
      if (typeof id !== "string" || !open.delete(id)) {
        return { field, problem: "answers no tool call: tool_call_id fits none" };
      }
      continue;
    }
    if (open.size > 0) return { field, problem: `stands before tool call "${[...open][0]}" is answered` };
    open = new Set();
    for (const call of listOf(message["tool_calls"])) {
      const fn = isObject(call) ? call["function"] : undefined;
      if (!isObject(call) || typeof call["id"] !== "string" || call["type"] !== "function" || !isObject(fn)) {
        return { field, problem: "has a tool call without id, type: function and function" };
      }
      if (typeof fn["name"] !== "string" || typeof fn["arguments"] !== "string") {
        return { field, problem: "has a tool call whose name or arguments is not a text" };
      }
      if (i < turns.length - 1) open.add(call["id"]);
    }
  }
  return undefined;
}

function tools(value: Json | undefined): Fault | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return { field: "tools", problem: `is ${kindOf(value)}, not a list` };
  const wrong = value.findIndex((tool: Json) =>
    !isObject(tool) || tool["type"] !== "function" || !isObject(tool["function"]) ||
    typeof tool["function"]["name"] !== "string"
  );
  return wrong < 0 ? undefined : { field: `tools[${wrong}]`, problem: "is no function with a name" };
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
