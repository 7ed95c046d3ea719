import type { Json } from "../../../lib/json/json.ts";
import type { Abilities } from "../../../providers/abilities.ts";
import { type Complain, isObject, kindOf, type RawTurn, type Role } from "./conversation.ts";
import { holds, withoutNulls } from "../shapes/row_view.ts";

/** What a turn says. */
export interface Content {
  readonly text: string;
  /** Texts of thinking, from wherever the turn has them. */
  readonly thinking: readonly string[];
  /** What is written for services that take content in parts. */
  readonly parts?: readonly Json[];
}

const THINKING_TYPES = ["thinking", "reasoning"];
/** Members of a message that hold what the assistant thought. */
export const REASONING_FIELDS = ["reasoning_content", "reasoning", "thinking"] as const;
const HEAD = /^\s*<think>([\s\S]*?)<\/think>\s*/;

/** Text and thinking of a turn. `undefined` after a complaint. */
export function contentOf(
  turn: RawTurn,
  role: Role,
  abilities: Abilities,
  complain: Complain,
): Content | undefined {
  const content = typeof turn.content === "string"
    ? { text: turn.content, thinking: [] }
    : readParts(turn, abilities, complain);
  if (!content) return undefined;
  if (!abilities.reasoning || role !== "assistant") return content;
  return withThinking(turn, content, complain);
}

/** A list of parts: texts, thinking where it is learnt, images where a service takes them. */
function readParts(turn: RawTurn, abilities: Abilities, complain: Complain): Content | undefined {
  const { content, view, key, field } = turn;
  if (!Array.isArray(content) || content.length === 0 || !view || !key) {
    const wanted = content === undefined || content === null ? "" : ", not a text";
    return void complain(field, `is ${kindOf(content)}${wanted}`, content);
  }
  let text = "";
  const thinking: string[] = [];
  const parts: Json[] = [];
  for (const [i, item] of (content as readonly Json[]).entries()) {
    const at = `${field}[${i}]`;
    if (!isObject(item)) return void complain(at, `is ${kindOf(item)}, not a part with a type`, item);
    const part = view.enterItem(key, i, item);
    const type = part.take("type");
    if (type === "text") {
      const value = part.take("text");
      if (typeof value !== "string") {
        return void complain(at, `is a part whose text is ${kindOf(value)}`, item);
      }
      text += value;
      parts.push({ type, text: value });
    } else if (type === "image_url" && abilities.images) {
      parts.push({ type, image_url: withoutNulls(part.take("image_url") ?? null) });
    } else if (THINKING_TYPES.includes(type as string) && abilities.reasoning) {
      const name = part.has("thinking") ? "thinking" : part.has("reasoning") ? "reasoning" : "text";
      const value = part.take(name);
      if (typeof value !== "string") {
        return void complain(at, `is a part whose ${name} is ${kindOf(value)}`, item);
      }
      thinking.push(value);
    } else {
      return void complain(at, unknownPart(type, abilities), item);
    }
  }
  return { text, thinking: thinking.length === 0 ? [] : [thinking.join("\n")], parts };
}

function unknownPart(type: Json | undefined, { hosted }: Abilities): string {
  const what = type === undefined ? "a part without a type" : `a part of type ${JSON.stringify(type)}`;
  return hosted
    ? `is ${what}, which services do not accept`
    : `is ${what}, not a text: only text can be trained here`;
}

/** Thinking from the members beside the content, and from the head of the text. */
function withThinking(
  { view, field }: RawTurn,
  { text, thinking: found }: Content,
  complain: Complain,
): Content | undefined {
  const thinking = [...found];
  for (const name of REASONING_FIELDS) {
    const value = view?.take(name);
    if (!holds(value)) continue;
    if (typeof value !== "string") {
      return void complain(view?.at(name) ?? field, `is ${kindOf(value)}, not a text`, value);
    }
    thinking.push(value);
  }
  if (!/^\s*<think>/.test(text)) return { text, thinking };
  const head = HEAD.exec(text);
  if (!head) return void complain(field, "starts with an unclosed <think>", text);
  return { text: text.slice(head[0].length), thinking: [...thinking, (head[1] as string).trim()] };
}

/** The one thinking of a turn. Services and tools often give it twice. */
export function reasoningOf({ thinking }: Content, field: string, complain: Complain): string | undefined {
  const [first = "", ...others] = thinking.filter((text) => text.trim() !== "");
  const other = others.find((text) => text.trim() !== first.trim());
  return other === undefined ? first : void complain(field, "has two different reasoning texts", other);
}
