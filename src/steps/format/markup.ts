import type { JsonObject } from "../../lib/json.ts";
import type { Conversation } from "./conversation.ts";

/** Markup of chat templates in a text. */
export interface Markup {
  /** Whether it can only be meant for a tokenizer; otherwise it may be quoted. */
  readonly sure: boolean;
  readonly problem: string;
}

/** `<|im_start|>` and the like, and DeepSeek's with full-width bars. */
const CONTROL = /<[|｜][^\s<>|｜]{1,40}[|｜]>/g;
/** Where turns begin and end in templates without such tokens. */
const ROLE_MARKS =
  /\[\/?INST\]|<<\/?SYS>>|\[\/?SYSTEM_PROMPT\]|\[\/?AVAILABLE_TOOLS\]|\[\/?TOOL_(?:CALLS|RESULTS)\]|<(?:start|end)_of_turn>|^### (?:Instruction|Response):/gm;
/** Where a rendered prompt waits for its answer; also the end of some sentences. */
const WAITING = /\b(?:ASSISTANT|Assistant):\s*$/;
/** What opens and closes a text for a tokenizer. In the middle, <s> is HTML. */
const OPENING = /^\s*<(?:s|bos)>/;
const CLOSING = /<(?:\/s|eos|end_of_turn)>\s*$/;
const PLACEHOLDER = /<(?:image|img_pad|image_pad)>|^\s*<(?:audio|video)>/;

/** The markup in a text, if there is any. */
export function markupOf(text: string): Markup | undefined {
  // Most texts have none of the characters that all markup needs.
  if (!text.includes("<") && !text.includes("[") && !text.includes(":")) return undefined;
  const control = text.match(CONTROL) ?? [];
  const found = [...control, ...text.match(ROLE_MARKS) ?? []];
  if (found.length > 1) {
    return { sure: true, problem: `looks like a rendered chat template: it holds ${names(found)}` };
  }
  const [mark] = found;
  const end = endMark(text);
  if (end?.sure || mark === undefined && end) return end;
  if (mark !== undefined) {
    return { sure: control.length > 0, problem: `holds ${mark}, which chat templates use to mark turns` };
  }
  const other = PLACEHOLDER.exec(text)?.[0] ?? WAITING.exec(text)?.[0];
  return other === undefined ? undefined : { sure: false, problem: `holds ${other.trim()}` };
}

/** <s>…</s> around a text or within it may be HTML's strike-through; one without the other is not. */
function endMark(text: string): Markup | undefined {
  const opening = OPENING.exec(text)?.[0].trim();
  const closing = CLOSING.exec(text)?.[0].trim();
  if (opening === undefined && closing === undefined) return undefined;
  const struck = text.includes("<s>") && text.includes("</s>");
  const place = closing === undefined ? `begins with ${opening}` : `ends with ${closing}`;
  return { sure: !struck, problem: `${place}, which templates put there themselves` };
}

/** Markup in the tools of a row: their texts stand in the prompt. */
export function markupOfTools({ extras }: Conversation): Markup | undefined {
  const found = JSON.stringify(extras["tools"] as readonly JsonObject[] | undefined ?? []).match(CONTROL)
    ?.[0];
  return found === undefined
    ? undefined
    : { sure: true, problem: `holds ${found}, which chat templates use to mark turns` };
}

function names(marks: readonly string[]): string {
  const found = [...new Set(marks)];
  const shown = found.slice(0, 3).join(", ");
  return found.length > 3 ? `${shown} and ${found.length - 3} more` : shown;
}
