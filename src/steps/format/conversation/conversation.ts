import type { Json, JsonObject } from "../../../lib/json/json.ts";
import type { RowView } from "../shapes/row_view.ts";

export const ROLES = ["system", "user", "assistant", "tool"] as const;
export type Role = (typeof ROLES)[number];

/** A turn as a row has it, before anything about it is known to be right. */
export interface RawTurn {
  /** The path of its text in the row, such as `messages[2].content`. */
  readonly field: string;
  readonly role: Json | undefined;
  readonly content: Json | undefined;
  /** The object it comes from, where the row has one for each turn: it may say more than who speaks and what. */
  readonly view?: RowView;
  /** The member of that object that holds its text. */
  readonly key?: "content" | "value";
}

/** A turn that can be written. */
export interface Turn {
  readonly field: string;
  readonly role: Role;
  /** What a person would read: the content without its wrapping. */
  readonly text: string;
  /** What the assistant thought before it answered; empty where nothing says so. */
  readonly reasoning: string;
  /** Tool calls as they are written, which stand for a text; empty where there are none. */
  readonly calls: readonly JsonObject[];
  /** Whether it is an answer to learn. */
  readonly learnt: boolean;
  /** What is written: one line of `messages`. */
  readonly message: JsonObject;
}

/** One example to learn from. */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** Beside the messages: tools, and for hosted services the answer of a pair that is not wanted. */
  readonly extras: JsonObject;
}

/** Takes down why a row cannot be read as a conversation. */
export type Complain = (field: string, problem: string, value?: Json) => void;

export interface RawConversation {
  readonly turns: readonly RawTurn[];
  /** The object that says which tools there are, where the shape has one. */
  readonly offers?: RowView;
  /** Of a preference pair: the answer that is not wanted. */
  readonly rejected?: RawTurn;
}

/** One form of conversations in rows. */
export interface Shape {
  readonly name: string;
  /** What a row needs for it, as text. */
  readonly needs: string;
  /** What it takes besides, in words. */
  readonly options?: string;
  /** The row's fields that it looks at. */
  readonly fields: readonly string[];
  /** Whether the pipeline file names each field: then all others are the rows' own business. */
  readonly explicit?: boolean;
  fits(row: JsonObject): boolean;
  /** Takes from the row what it uses. `undefined` after a complaint. */
  read(row: RowView, complain: Complain): RawConversation | undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, in a person's words. */
export function kindOf(value: Json | undefined): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  return typeof value === "object" ? "an object" : typeof value === "boolean" ? `${value}` : "a number";
}

/** Half of a surrogate pair, as JSON.stringify escapes it: not behind a backslash of the text. */
const HALF_CHARACTER = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** Whether a text within a value has half of a surrogate pair, which is no character. */
export function holdsHalfCharacter(value: Json): boolean {
  const json = JSON.stringify(value);
  return json.includes("\\ud") && HALF_CHARACTER.test(json);
}
