import { withoutInvisible } from "../../../lib/text/text_width.ts";
import type { Conversation, Turn } from "./conversation.ts";
import type { CheckName } from "../checks/findings.ts";
import { type Markup, markupOf, markupOfTools } from "./markup.ts";

/** Something a conversation can be read with, but should not have. */
export interface Flaw {
  readonly check: CheckName & ("order" | "empty" | "placeholders" | "markup" | "quoted_markup");
  readonly field: string;
  readonly problem: string;
  readonly text: string;
}

/** How missing values look once some tool has turned them into text. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(
  ["nan", "NaN", "NAN", "null", "NULL", "Null", "None", "undefined", "N/A", "n/a", "#N/A", "<NA>", "NaT"],
);

const LONGEST_PLACEHOLDER = Math.max(...[...PLACEHOLDERS].map((text) => text.length));

/** The first turn out of order, and every turn that is empty, a placeholder, or holds markup. */
export function flawsOf(conversation: Conversation): Flaw[] {
  const { turns } = conversation;
  const flaws: Flaw[] = [];
  const order = disorder(turns);
  if (order) flaws.push(order);
  for (const turn of turns) {
    const { field, role, text, reasoning, calls } = turn;
    const trimmed = withoutInvisible(text).trim();
    if (trimmed === "") {
      const problem = reasoning === "" ? `has no text${invisibleIn(text)}` : "has reasoning but no answer";
      if (calls.length === 0) {
        flaws.push({ check: "empty", field, problem: `the ${role} turn ${problem}`, text });
      }
    } else if (isPlaceholder(trimmed)) {
      flaws.push({ check: "placeholders", field, problem: `the ${role} turn is only "${trimmed}"`, text });
    }
    const markup = markupOfTurn(turn);
    if (markup) flaws.push(markupFlaw(field, text, markup));
  }
  const markup = conversation.extras["tools"] === undefined ? undefined : markupOfTools(conversation);
  return markup ? [...flaws, markupFlaw("tools", "", markup)] : flaws;
}

function markupFlaw(field: string, text: string, { sure, problem }: Markup): Flaw {
  return { check: sure ? "markup" : "quoted_markup", field, problem, text };
}

/** The surest markup of what a turn says, thinks and calls. */
function markupOfTurn({ text, reasoning, calls }: Turn): Markup | undefined {
  const found = markupOf(text);
  if (found?.sure || reasoning === "" && calls.length === 0) return found;
  const others = [
    markupOf(reasoning),
    ...calls.map((call) => markupOf(JSON.stringify(call["function"] ?? null))),
  ];
  return others.find((other) => other?.sure) ?? found ?? others.find((other) => other !== undefined);
}

/** The first character of a text that shows nothing, where it is more than white space. */
function invisibleIn(text: string): string {
  const code = text.trim().codePointAt(0);
  return code === undefined
    ? ""
    : `, only invisible characters such as U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** V8 may keep a text that was looked up in a set until the next full collection: long ones are not looked up. */
function isPlaceholder(text: string): boolean {
  return text.length <= LONGEST_PLACEHOLDER && PLACEHOLDERS.has(text);
}

/** Turns after the last trained one teach nothing, and the trainer accepts none. */
export function endWithAnswer(conversation: Conversation): Conversation {
  const last = conversation.turns.findLastIndex(({ learnt }) => learnt);
  if (last === conversation.turns.length - 1) return conversation;
  return { ...conversation, turns: conversation.turns.slice(0, last + 1) };
}

function disorder(turns: readonly Turn[]): Flaw | undefined {
  for (const [i, turn] of turns.entries()) {
    const problem = misplaced(turn, turns[i - 1]);
    if (problem) return { check: "order", field: turn.field, problem, text: turn.text };
  }
  const last = turns.at(-1);
  if (!last || last.role === "assistant") return undefined;
  return {
    check: "order",
    field: last.field,
    problem: `the conversation ends with the ${last.role}, not with the assistant`,
    text: last.text,
  };
}

function misplaced({ role }: Turn, before: Turn | undefined): string | undefined {
  if (role === "system") return before ? "a system turn comes after the first turn" : undefined;
  if (role === "tool") {
    return before && (before.calls.length > 0 || before.role === "tool")
      ? undefined
      : "a tool turn follows no tool call";
  }
  if (before && before.calls.length > 0) {
    return `a tool call is followed by the ${role}, not by the tool's result`;
  }
  if (before?.role === role) return `two ${role} turns follow each other`;
  if (role === "assistant" && (!before || before.role === "system")) {
    return "the assistant speaks before the user";
  }
  return undefined;
}
