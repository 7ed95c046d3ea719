// deno-lint-ignore-file camelcase -- names of the protocol and of the pipeline file
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

/** A row as format wrote it. `rejected`: the rejected answer of a preference pair. */
export interface Example {
  readonly origin: string;
  readonly messages: readonly JsonObject[];
  readonly rejected?: JsonObject;
  readonly tools?: Json;
  readonly parallel_tool_calls?: Json;
}

/** Tokens of a file of rows. */
export interface FileTokens extends TokenRange {
  /** Of the prompts alone, and of the last answers. */
  readonly prompt: number;
  readonly answer: number;
  /** Of the longest row. */
  readonly longest: number;
}

/** Adds up rows. The service cuts rows at `limit`, and does not bill the rest. */
export class TokenSum {
  #total: FileTokens = { least: 0, most: 0, prompt: 0, answer: 0, longest: 0 };

  constructor(readonly limit: number, readonly count: CountText) {}

  /** Returns the tokens that the row has at least. `drops`: a row that is too long is not added. */
  add(example: Example, drops: boolean): number {
    const { tokens, prompt } = rowTokens(example, this.count);
    if (drops && tokens.least > this.limit) return tokens.least;
    const sum = this.#total;
    this.#total = {
      least: sum.least + Math.min(this.limit, tokens.least),
      most: sum.most + Math.min(this.limit, tokens.most),
      prompt: sum.prompt + Math.min(this.limit, prompt),
      answer: sum.answer + Math.max(0, tokens.most - prompt),
      longest: Math.max(sum.longest, tokens.most),
    };
    return tokens.least;
  }

  get total(): FileTokens {
    return this.#total;
  }
}

/** Tokens of a row, and of its prompt alone. */
export function rowTokens({ messages, rejected, tools }: Example, count: CountText) {
  const prompt = exampleTokens(messages.slice(0, -1), tools, count).most;
  const preferred = exampleTokens(messages, tools, count);
  if (!rejected) return { tokens: preferred, prompt };
  const other = exampleTokens([...messages.slice(0, -1), rejected], tools, count);
  return { tokens: { least: preferred.least, most: preferred.most + other.most }, prompt };
}

/** The o200k_base vocabulary of gpt-4o and gpt-4.1. Loaded when the first text is counted: it takes a second. */
export async function loadTokenizer(): Promise<CountText> {
  const { countTokens } = await import("../../../deps/gpt_tokenizer.ts");
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
