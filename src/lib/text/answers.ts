import { parseExact } from "../json/exact_json.ts";
import { canonicalJson, type Json } from "../json/json.ts";

/**
 * What an answer contains besides its text, read as the trainer reads it (data/tool_calls.py): reasoning, and calls of tools in
 * the forms in which models write them. tests/fixtures/answers.json checks that both agree.
 */
export interface Call {
  readonly name: string;
  /** One text for each JSON value: see exactJson(). */
  readonly arguments: string;
}

/** The calls of an answer, none for a plain one; null where a call was begun and cannot be read. */
export type Calls = readonly Call[] | null;

/** What opens and closes the reasoning before an answer. */
const THINKING = [["<think>", "</think>"], ["[THINK]", "[/THINK]"], ["<thinking>", "</thinking>"]] as const;

/** Reasoning that the prompt opened has no opening of its own; one that never ends has no answer. */
export function splitReasoning(text: string): { readonly reasoning: string; readonly answer: string } {
  for (const [opening, closing] of THINKING) {
    const end = text.indexOf(closing);
    const thought = end < 0 ? text : text.slice(0, end);
    const begins = thought.trimStart().startsWith(opening);
    if (end < 0 ? !begins : !begins && thought.includes(opening)) continue;
    const reasoning = begins ? thought.trimStart().slice(opening.length) : thought;
    return { reasoning, answer: end < 0 ? "" : text.slice(end + closing.length).trimStart() };
  }
  return { reasoning: "", answer: text };
}

export const FORMS: Readonly<Record<string, (text: string) => Calls>> = { hermes, mistral, llama3, json };

/** `<tool_call>{"name": …, "arguments": …}</tool_call>`, once for each call. */
function hermes(text: string): Calls {
  const found = [...text.matchAll(/<tool_call>(.*?)<\/tool_call>/gs)].map(([, call]) => call!);
  return found.length === text.split("<tool_call>").length - 1 ? all(found.map(callsOf)) : null;
}

/** `[TOOL_CALLS][{"name": …, "arguments": …}]`, or `[TOOL_CALLS]name[ARGS]{…}` for each call. */
function mistral(text: string): Calls {
  return all(
    text.split("[TOOL_CALLS]").slice(1).map((part) => {
      const [, name, given] = /^\s*([^\s[{]+)(?:\[CALL_ID\][^[{]*)?(?:\[ARGS\])?\s*(\{.*)$/s.exec(part) ?? [];
      return name === undefined
        ? callsOf(part)
        : callsOf(`{"name":${JSON.stringify(name)},"arguments":${given}}`);
    }),
  );
}

/** `{"name": …, "parameters": …}` and nothing else, perhaps behind `<|python_tag|>`. */
function llama3(text: string): Calls {
  const TAG = "<|python_tag|>";
  const marked = text.trim().startsWith(TAG);
  const calls = json(marked ? text.trim().slice(TAG.length) : text);
  return marked && calls?.length === 0 ? null : calls;
}

/** A call, or a list of calls, as JSON and nothing else. */
function json(text: string): Calls {
  const value = parsed(text);
  if (value === undefined) return /^\[?\s*\{\s*"name"\s*:/.test(text.trim()) ? null : [];
  return itemsOf(value).some((item) => given(item) !== undefined) ? callsOf(text) : [];
}

/** The same tools with JSON-equal arguments, in any order. */
export function sameCalls(some: Calls, others: Calls): boolean {
  if (some === null || others === null) return false;
  const spelled = (calls: readonly Call[]) =>
    JSON.stringify(calls.map((call) => JSON.stringify([call.name, call.arguments])).sort());
  return spelled(some) === spelled(others);
}

/** What JSON says to call; null where it is no JSON or holds something else. */
function callsOf(text: string): Calls {
  const value = parsed(text);
  if (value === undefined) return null;
  const calls = itemsOf(value).map(callOf);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : null;
}

function callOf(value: Json): Call | undefined {
  const found = given(value);
  if (!found) return undefined;
  const [name, args] = found;
  if (typeof args !== "string" || !args.startsWith("s")) return { name, arguments: canonicalJson(args) };
  // JSON text, as in OpenAI's protocol.
  const inner = args.slice(1).trim() === "" ? {} : parsed(args.slice(1));
  return inner === undefined ? undefined : { name, arguments: canonicalJson(inner) };
}

/** Name and arguments of what looks like a call. */
function given(value: Json): readonly [string, Json] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { name, arguments: args, parameters } = value as { readonly [key: string]: Json | undefined };
  const found = args === undefined ? parameters : args;
  if (typeof name !== "string" || !name.startsWith("s") || found === undefined) return undefined;
  return [name.slice(1), found];
}

function parsed(text: string): Json | undefined {
  try {
    return parseExact(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function itemsOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}

function all(parts: readonly Calls[]): Calls {
  return parts.every((part) => part !== null) ? parts.flat() : null;
}
