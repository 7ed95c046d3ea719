import type { Json, JsonObject } from "../../lib/json.ts";
import { kindOf } from "./conversation.ts";

/** What a cell holds once its JSON text is read, or why it cannot be, as the end of a sentence about the field. */
export type JsonCell =
  | { readonly ok: true; readonly value: readonly Json[] | JsonObject }
  | { readonly ok: false; readonly reason: string };

/**
 * A list or an object, also where it is written as JSON text: CSV has no other way, and some exports do it too.
 * Anything else gives a reason, such as "is Python's repr, not JSON: write it with json.dumps".
 */
export function parseJsonCell(value: Json | undefined): JsonCell {
  if (typeof value === "object" && value !== null) return { ok: true, value };
  if (typeof value !== "string") return no(`is ${kindOf(value)}, not a list or an object`);
  if (!isJsonLike(value)) return no("is a text, not a list or an object");
  try {
    const parsed = JSON.parse(value) as Json;
    // A text that begins like a list or an object can be nothing else.
    return { ok: true, value: parsed as readonly Json[] | JsonObject };
  } catch (error) {
    if (isPythonRepr(value)) return no("is Python's repr, not JSON: write it with json.dumps");
    return no(`is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** Whether a cell is a text that begins like a list or an object. */
export function isJsonLike(value: Json | undefined): value is string {
  return typeof value === "string" && /^\s*[[{]/.test(value);
}

/** Quotes of either kind around keys, and no key in JSON's: what str() makes of lists and dicts. */
function isPythonRepr(text: string): boolean {
  return /^\s*\[?\s*\{\s*'/.test(text) || /[[,:]\s*(None|True|False|nan|array\()/.test(text);
}

function no(reason: string): JsonCell {
  return { ok: false, reason };
}
