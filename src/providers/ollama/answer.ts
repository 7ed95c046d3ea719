import { type Call, type Calls, FORMS, sameCalls, splitReasoning } from "../../lib/text/answers.ts";
import { parseExact } from "../../lib/json/exact_json.ts";
import { canonicalJson, type Json } from "../../lib/json/json.ts";

/** An answer of Ollama's chat: split into its parts, without the white space between them. */
export interface ServedAnswer {
  readonly content: string;
  readonly thinking: string;
  /** Arguments as exactJson() spells them. */
  readonly calls: readonly Call[];
}

/** A call that the server returned, in the form of FORMS. */
export function servedCall(name: string, args: Json): Call {
  return { name, arguments: canonicalJson(parseExact(JSON.stringify(args))) };
}

/**
 * Whether a served answer equals the one of the trainer's model: the same reasoning, the same text, and the same tools
 * called with JSON-equal arguments. `form`: how the rows write calls; undefined where they have none.
 */
export function sameAnswer(trainer: string, served: ServedAnswer, form: string | undefined): boolean {
  const { reasoning, answer } = splitReasoning(trainer);
  if (reasoning.trim() !== served.thinking.trim()) return false;
  const calls = form === undefined ? [] : FORMS[form]!(answer);
  // A call that cannot be parsed is plain text, for the server too.
  if (calls === null || calls.length === 0) {
    return served.calls.length === 0 && served.content.trim() === answer.trim();
  }
  return sameCalls(calls, served.calls) && served.content.trim() === wordsBeside(answer, form!);
}

/** The form in which all expected texts write their calls; undefined where no row has a call. */
export function formOf(
  rows: readonly { readonly expected: string; readonly calls: readonly Call[] }[],
): string | undefined {
  if (rows.every(({ calls }) => calls.length === 0)) return undefined;
  const reads = (read: (text: string) => Calls) =>
    rows.every(({ expected, calls }) => sameCalls(read(splitReasoning(expected).answer), calls));
  return Object.keys(FORMS).find((name) => reads(FORMS[name]!));
}

/** A served answer as one text, to be judged like the trainer's answers. */
export function asText({ content, thinking, calls }: ServedAnswer, form: string | undefined): string {
  const thought = thinking === "" ? "" : `<think>\n${thinking}\n</think>\n\n`;
  const called = calls.length === 0 ? "" : WRITTEN[form ?? "hermes"]!(calls);
  return thought + content + (content !== "" && called !== "" ? "\n" : "") + called;
}

const WRITTEN: Readonly<Record<string, (calls: readonly Call[]) => string>> = {
  hermes: (calls) => calls.map((call) => `<tool_call>\n${json("arguments", call)}\n</tool_call>`).join("\n"),
  mistral: (calls) => `[TOOL_CALLS][${calls.map((call) => json("arguments", call)).join(", ")}]`,
  llama3: (calls) => listed(calls.map((call) => json("parameters", call))),
  json: (calls) => listed(calls.map((call) => json("arguments", call))),
};

function listed(calls: readonly string[]): string {
  return calls.length === 1 ? calls[0]! : `[${calls.join(", ")}]`;
}

function json(key: string, call: Call): string {
  return `{"name": ${JSON.stringify(call.name)}, "${key}": ${plainJson(JSON.parse(call.arguments))}}`;
}

/** Reverses exactJson(). */
function plainJson(value: Json): string {
  if (typeof value === "string") {
    return value.startsWith("n") ? value.slice(1) : JSON.stringify(value.slice(1));
  }
  if (Array.isArray(value)) return `[${value.map(plainJson).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${
    Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${plainJson(item)}`).join(", ")
  }}`;
}

function wordsBeside(answer: string, form: string): string {
  if (form === "hermes") return answer.replace(/<tool_call>.*?<\/tool_call>/gs, "").trim();
  return form === "mistral" ? answer.split("[TOOL_CALLS]")[0]!.trim() : "";
}
