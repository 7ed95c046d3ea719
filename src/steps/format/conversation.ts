import type { Json, JsonObject } from "../../lib/json.ts";

export const ROLES = ["system", "user", "assistant", "tool"] as const;
export type Role = (typeof ROLES)[number];

/** A turn as a row has it, before anything about it is known to be right. */
export interface RawTurn {
  /** Where its text stands in the row, such as `messages[2].content`. */
  readonly field: string;
  readonly role: Json | undefined;
  readonly content: Json | undefined;
  /** The message it comes from, where the row has messages: it may hold more than role and content. */
  readonly message?: JsonObject;
}

/** A turn that can be written. */
export interface Turn {
  readonly field: string;
  readonly role: Role;
  /** What a person would read: the content without its wrapping. */
  readonly text: string;
  /** Whether the turn calls tools, which stands for a text. */
  readonly calls: boolean;
  /** What is written: role, content, and for hosted services what else the message holds. */
  readonly message: JsonObject;
}

/** One example to learn from. */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** Beside the messages, for hosted services: tools and the like. */
  readonly extras: JsonObject;
}

/** Takes down why a row cannot be read as a conversation. */
export type Complain = (field: string, problem: string, value?: Json) => void;

export interface RawConversation {
  readonly turns: readonly RawTurn[];
  readonly extras?: JsonObject;
}

/** One way in which rows hold conversations. */
export interface Shape {
  readonly name: string;
  /** What a row needs for it, in words. */
  readonly needs: string;
  /** What it takes besides, in words. */
  readonly options?: string;
  /** The row's fields that it looks at; all others are left out of the examples. */
  readonly fields: readonly string[];
  fits(row: JsonObject): boolean;
  /** `undefined` after a complaint. */
  read(row: JsonObject, complain: Complain): RawConversation | undefined;
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
