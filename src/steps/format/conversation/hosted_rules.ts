import type { JsonObject } from "../../../lib/json/json.ts";
import { type Complain, type Conversation, isObject, type RawTurn, type Turn } from "./conversation.ts";

/** Of a message, what services know. What of it a turn has no use for is left out and named. */
const MESSAGE_FIELDS = ["name", "tool_call_id", "refusal"];
const SPECIAL = /<\|[a-z_]+\|>/;
const MOST_IMAGES = 10;

/**
 * The rules of hosted services, which check rows only after the upload. False after a complaint: the row cannot be
 * sent as it is.
 */
export function fitsService(
  raw: readonly RawTurn[],
  { turns }: Conversation,
  complain: Complain,
): boolean {
  for (const turn of raw) {
    const problem = strayField(turn);
    if (problem) return complain(turn.field, problem, turn.content) ?? false;
  }
  for (const turn of turns) {
    const problem = specialTokens(turn) ?? images(turn);
    if (problem) return complain(turn.field, problem, turn.message["content"]) ?? false;
  }
  return true;
}

function strayField({ view }: RawTurn): string | undefined {
  const stray = view?.rest().find((name) => !MESSAGE_FIELDS.includes(name) && view.peek(name) !== "");
  return stray === undefined
    ? undefined
    : `belongs to a message with an extra "${stray}", which services refuse`;
}

function specialTokens({ text, calls }: Turn): string | undefined {
  const found = SPECIAL.exec(text)?.[0] ??
    calls.map((call) => SPECIAL.exec(JSON.stringify(call))?.[0]).find(Boolean);
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
