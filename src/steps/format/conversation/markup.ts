import type { JsonObject } from "../../../lib/json/json.ts";
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
const BRACKETS = /\[\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]/g;
const TAGS = /<<\/?SYS>>|<(?:start|end)_of_turn>/g;
const HEADINGS = /^### (?:Instruction|Response):/gm;
/** Where a rendered prompt waits for its answer; also the end of some sentences. */
const WAITING = ["Assistant:", "ASSISTANT:"];
/** What opens and closes a text for a tokenizer. In the middle, <s> is HTML. */
const OPENING = ["<s>", "<bos>"];
const CLOSING = ["</s>", "<eos>", "<end_of_turn>"];
const PLACEHOLDER = /<(?:image|img_pad|image_pad)>|^<(?:audio|video)>/;

/** The markup in a text, if there is any. */
export function markupOf(text: string): Markup | undefined {
  // Most texts have none of the characters that markup begins with; to look for one is far cheaper than a pattern.
  const tags = text.includes("<");
  const found = tags ? [...text.match(CONTROL) ?? [], ...text.match(TAGS) ?? []] : [];
  if (text.includes("[")) found.push(...text.match(BRACKETS) ?? []);
  if (text.includes("### ")) found.push(...new Set(text.match(HEADINGS) ?? []));
  if (found.length > 1) {
    return { sure: true, problem: `looks like a rendered chat template: it contains ${names(found)}` };
  }
  const [mark] = found;
  const trimmed = text.trim();
  const end = tags ? endMark(trimmed) : undefined;
  if (end?.sure || mark === undefined && end) return end;
  if (mark !== undefined) {
    return { sure: isControl(mark), problem: `contains ${mark}, which chat templates use to mark turns` };
  }
  const lone = text.includes("</s>") && !text.includes("<s>") ? "</s>" : undefined;
  const other = lone ?? (tags ? PLACEHOLDER.exec(trimmed)?.[0] : undefined) ??
    WAITING.find((end) => trimmed.endsWith(end));
  return other === undefined ? undefined : { sure: false, problem: `contains ${other}` };
}

/** <s>…</s> around a text or within it may be HTML's strike-through; one without the other is not. */
function endMark(text: string): Markup | undefined {
  const opening = OPENING.find((mark) => text.startsWith(mark));
  const closing = CLOSING.find((mark) => text.endsWith(mark));
  if (opening === undefined && closing === undefined) return undefined;
  const struck = text.includes("<s>") && text.includes("</s>");
  const place = closing === undefined ? `begins with ${opening}` : `ends with ${closing}`;
  return { sure: !struck, problem: `${place}, which templates add themselves` };
}

/** Markup in the tools of a row: their texts are part of the prompt. */
export function markupOfTools({ extras }: Conversation): Markup | undefined {
  const found = JSON.stringify(extras["tools"] as readonly JsonObject[] | undefined ?? []).match(CONTROL)
    ?.[0];
  return found === undefined
    ? undefined
    : { sure: true, problem: `contains ${found}, which chat templates use to mark turns` };
}

function isControl(mark: string): boolean {
  return mark.startsWith("<|") || mark.startsWith("<｜");
}

function names(marks: readonly string[]): string {
  const found = [...new Set(marks)];
  const shown = found.slice(0, 3).join(", ");
  return found.length > 3 ? `${shown} and ${found.length - 3} more` : shown;
}
