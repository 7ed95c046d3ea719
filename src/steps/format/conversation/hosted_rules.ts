import type { JsonObject } from "../../../lib/json/json.ts";
import type { RowRules } from "../../../spec/dialects/dialect.ts";
import { type Complain, type Conversation, isObject, type RawTurn, type Turn } from "./conversation.ts";

/**
 * Holds a row against the rules of a hosted service, which itself checks only after the upload. False after a complaint:
 * the row cannot be sent as it is.
 */
export function fitsService(
  raw: readonly RawTurn[],
  { turns }: Conversation,
  complain: Complain,
  rules: RowRules,
): boolean {
  for (const turn of raw) {
    const problem = strayField(turn, rules);
    if (problem) return complain(turn.field, problem, turn.content) ?? false;
  }
  for (const turn of turns) {
    const problem = specialTokens(turn, rules) ?? images(turn, rules);
    if (problem) return complain(turn.field, problem, turn.message["content"]) ?? false;
  }
  return true;
}

/** A field of a message that neither a turn nor the service has a use for. */
function strayField({ view }: RawTurn, { messageFields }: RowRules): string | undefined {
  const stray = view?.rest().find((name) => !messageFields.includes(name) && view.peek(name) !== "");
  return stray === undefined
    ? undefined
    : `belongs to a message with an extra "${stray}", which services refuse`;
}

function specialTokens({ text, calls }: Turn, { specialTokens: special }: RowRules): string | undefined {
  const found = special.exec(text)?.[0] ??
    calls.map((call) => special.exec(JSON.stringify(call))?.[0]).find(Boolean);
  return found === undefined ? undefined : `contains the special token ${found}, which makes a job fail`;
}

function images({ role, message }: Turn, { images: most }: RowRules): string | undefined {
  const parts = Array.isArray(message["content"]) ? message["content"] as readonly JsonObject[] : [];
  const found = parts.filter((part) => part["type"] === "image_url");
  if (found.length === 0) return undefined;
  if (role !== "user") return `contains an image, which only user turns may contain`;
  if (found.length > most) return `contains ${found.length} images, but services take at most ${most}`;
  const wrong = found.find((part) => !/^(https?:\/\/|data:image\/(jpeg|png|webp);base64,)/.test(urlOf(part)));
  return wrong && "contains an image that is neither an http address nor JPEG, PNG or WEBP data";
}

function urlOf(part: JsonObject): string {
  const image = part["image_url"];
  return isObject(image) && typeof image["url"] === "string" ? image["url"] : "";
}
