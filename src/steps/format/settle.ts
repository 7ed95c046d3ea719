import type { Json, JsonObject } from "../../lib/json.ts";
import type { Abilities } from "../../providers/abilities.ts";
import {
  type Complain,
  type Conversation,
  isObject,
  kindOf,
  type RawConversation,
  type RawTurn,
  type Role,
  ROLES,
  type Turn,
} from "./conversation.ts";

/** Decides for a row's turns what is written, or complains and leaves the row out. */
export function settle(
  raw: RawConversation,
  abilities: Abilities,
  complain: Complain,
): Conversation | undefined {
  const extras = raw.extras ?? {};
  if (!abilities.tools && extras["tools"] !== undefined && !isEmptyList(extras["tools"])) {
    return void complain("tools", "is given, but tools can only be learned at a hosted service");
  }
  if (!abilities.tools && extras["rejected"] !== undefined) {
    return void complain("row", "is a preference pair, which can only be learned at a hosted service");
  }
  const turns: Turn[] = [];
  for (const rawTurn of raw.turns) {
    const turn = settleTurn(rawTurn, abilities, complain);
    if (!turn) return undefined;
    turns.push(turn);
  }
  if (turns.some(({ role }) => role === "assistant")) {
    return { turns, extras: abilities.tools ? extras : {} };
  }
  return void complain(turns[0]?.field ?? "row", "there is no assistant turn, so nothing to learn");
}

function settleTurn(raw: RawTurn, abilities: Abilities, complain: Complain): Turn | undefined {
  const role = roleOf(raw, complain);
  if (!role) return undefined;
  const message = raw.message ?? {};
  const calls = Array.isArray(message["tool_calls"]) && message["tool_calls"].length > 0;
  const unsupported = abilities.tools ? undefined : unsupportedPart(role, calls, message);
  if (unsupported) return void complain(raw.field, unsupported, raw.content);
  const absent = raw.content === undefined || raw.content === null;
  const text = absent && calls ? "" : textOf(raw.content, abilities);
  if (text === undefined) {
    const wanted = absent ? "" : ", not a text";
    return void complain(raw.field, `is ${kindOf(raw.content)}${wanted}`, raw.content);
  }
  if (!text.isWellFormed()) {
    return void complain(raw.field, "holds half of a surrogate pair, which is no character", raw.content);
  }
  const written = abilities.tools
    ? { ...message, role, content: raw.content ?? null }
    : { role, content: text };
  return { field: raw.field, role, text, calls, message: written };
}

function roleOf({ role, field }: RawTurn, complain: Complain): Role | undefined {
  // OpenAI's newer name for the system's turn.
  const known = role === "developer" ? "system" : ROLES.find((name) => name === role);
  if (known) return known;
  const place = field.replace(/\.(content|value)$/, field.endsWith(".value") ? ".from" : ".role");
  const found = typeof role === "string"
    ? `${JSON.stringify(role)}, which is none of ${ROLES.join(", ")}`
    : kindOf(role);
  return void complain(place, `is ${found}`, role);
}

function unsupportedPart(role: Role, calls: boolean, message: JsonObject): string | undefined {
  if (role === "tool" || calls || isObject(message["function_call"])) {
    return "belongs to a tool call, which can only be learned at a hosted service";
  }
  if (message["weight"] === 0) return "has weight 0, which only a hosted service heeds";
  return undefined;
}

/** A text, or a list of parts that are all texts; hosted services take images among them. */
function textOf(content: Json | undefined, abilities: Abilities): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content) || content.length === 0) return undefined;
  let text = "";
  for (const part of content as readonly Json[]) {
    if (abilities.tools && isObject(part) && part["type"] === "image_url") continue;
    if (!isObject(part) || part["type"] !== "text" || typeof part["text"] !== "string") return undefined;
    text += part["text"];
  }
  return text;
}

function isEmptyList(value: Json | undefined): boolean {
  return Array.isArray(value) && value.length === 0;
}
