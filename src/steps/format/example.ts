import { murmur128 } from "../../lib/files/murmur.ts";
import type { Checks } from "../../spec/schema/schema.ts";
import { type Conversation, type Role, ROLES, type Turn } from "./conversation/conversation.ts";
import { inputDigest } from "./checks/digests.ts";

/** A conversation as it is written, with what placing and counting it takes. */
export type Example = {
  /** One line of train.jsonl or eval.jsonl. */
  readonly line: string;
  readonly source: string;
  /** Of the messages; empty where duplicates are not looked for. */
  readonly digest: string;
  /** Of the input; empty where nothing needs it. */
  readonly input: string;
  /** Turns by role, in the order of ROLES. */
  readonly turns: readonly number[];
  readonly chars: number;
};

export interface ExampleOptions {
  readonly checks: Checks;
  /** Whether inputs are compared or decide about a split. */
  readonly inputs: boolean;
}

export function exampleOf(
  origin: string,
  conversation: Conversation,
  { checks, inputs }: ExampleOptions,
): Example {
  const messages = JSON.stringify(conversation.turns.map(({ message }) => message));
  const extras = JSON.stringify(conversation.extras);
  const rest = extras === "{}" ? "}" : `,${extras.slice(1)}`;
  return {
    line: `{"origin":${JSON.stringify(origin)},"messages":${messages}${rest}`,
    source: sourceOf(origin),
    digest: checks.duplicates === "off" ? "" : murmur128(messages + rest),
    input: inputs ? inputDigest(conversation) : "",
    turns: ROLES.map((role: Role) => count(conversation, role)),
    chars: conversation.turns.reduce((sum, turn) => sum + charsOf(turn), 0),
  };
}

/** The label of the source that a row comes from. */
export function sourceOf(origin: string): string {
  return origin.slice(0, origin.lastIndexOf(":"));
}

function charsOf({ text, reasoning, calls }: Turn): number {
  return text.length + reasoning.length + (calls.length === 0 ? 0 : JSON.stringify(calls).length);
}

function count({ turns }: Conversation, role: Role): number {
  let n = 0;
  for (const turn of turns) if (turn.role === role) n++;
  return n;
}
