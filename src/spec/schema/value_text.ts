import { listed } from "../../lib/text/format.ts";
import { maskedText } from "../../lib/net/secrets.ts";
import type { JsonSchema } from "./json_schema.ts";
import { isSection } from "../yaml/path.ts";

/** `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  return listed(words, "or");
}

/** The values that a field accepts, as text: `a whole number from 1 to 64`. */
export function expected(node: JsonSchema): string {
  return oneOf([...new Set(choices(node))]);
}

function choices(node: JsonSchema): string[] {
  const options = node.oneOf ?? node.anyOf;
  if (options) return options.flatMap(choices);
  if (node.const !== undefined) return [String(node.const)];
  return node.enum ? node.enum.map(String) : [typed(node)];
}

function typed(node: JsonSchema): string {
  switch (node.type) {
    case "integer":
      return `a whole number${bounds(node)}`;
    case "number":
      return `a number${bounds(node)}`;
    case "boolean":
      return "true or false";
    case "string":
      return "text";
    case "array":
      return node.items ? `a list of ${plural(node.items)}` : "a list";
    default:
      return "a section";
  }
}

function plural(items: JsonSchema): string {
  return items.type === "string" ? "texts" : "values";
}

function bounds(node: JsonSchema): string {
  const multiple = node.multipleOf === undefined ? "" : ` that is a multiple of ${node.multipleOf}`;
  const { minimum: least, maximum: most, exclusiveMinimum: above } = node;
  if (above !== undefined) {
    return ` above ${above}${most === undefined ? "" : ` and up to ${most}`}${multiple}`;
  }
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}${multiple}`;
  if (least !== undefined) return ` of at least ${least}${multiple}`;
  return most === undefined ? multiple : ` of at most ${most}${multiple}`;
}

/** What was found in its place. */
export function found(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") {
    const shown = maskedText(value);
    const characters = [...shown];
    return JSON.stringify(characters.length > 40 ? `${characters.slice(0, 39).join("")}…` : shown);
  }
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isSection(value)) return "a section";
  return String(value);
}
