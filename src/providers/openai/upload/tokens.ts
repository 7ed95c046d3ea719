import type { Json, JsonObject } from "../../../lib/json/json.ts";

/** Tokens of one example: a range where the service documents no rule. */
export interface TokenRange {
  readonly least: number;
  readonly most: number;
}

/** Documented framing ("not exact"): 3 around a message, 1 for a name, 3 around the conversation. */
const MESSAGE_TOKENS = 3;
const NAME_TOKENS = 1;
const CONVERSATION_TOKENS = 3;
/** What one image of 20 MP or less counts as, at least and at most, by the documented tile rules. */
const IMAGE: TokenRange = { least: 85, most: 1_445 };

export type CountText = (text: string) => number;

/** The o200k_base vocabulary of gpt-4o and gpt-4.1. Loaded when the first text is counted: it takes a second. */
export async function loadTokenizer(): Promise<CountText> {
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
  const plain = { disallowedSpecial: new Set<string>() };
  return (text) => countTokens(text, plain);
}

export function exampleTokens(
  messages: readonly JsonObject[],
  tools: Json | undefined,
  count: CountText,
): TokenRange {
  let least = CONVERSATION_TOKENS;
  let most = CONVERSATION_TOKENS;
  for (const message of messages) {
    const range = messageTokens(message, count);
    least += range.least;
    most += range.most;
  }
  if (tools === undefined) return { least, most };
  // Services rewrite tools in an undocumented form: at least their names and descriptions, at most all of the JSON.
  const all = count(JSON.stringify(tools));
  return { least: least + Math.floor(all / 3), most: most + all };
}

function messageTokens(message: JsonObject, count: CountText): TokenRange {
  let least = MESSAGE_TOKENS + count(String(message["role"]));
  if (typeof message["name"] === "string") least += NAME_TOKENS + count(message["name"]);
  let most = least;
  const content = message["content"];
  const parts = typeof content === "string"
    ? [{ type: "text", text: content }]
    : Array.isArray(content)
    ? content
    : [];
  for (const part of parts as readonly JsonObject[]) {
    const isText = typeof part["text"] === "string";
    const n = isText ? count(part["text"] as string) : 0;
    least += isText ? n : IMAGE.least;
    most += isText ? n : IMAGE.most;
  }
  const calls = message["tool_calls"];
  if (Array.isArray(calls) && calls.length > 0) {
    const all = count(JSON.stringify(calls));
    least += Math.floor(all / 3);
    most += all;
  }
  return { least, most };
}
