import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { type JsonFault, lossFault, nearText, placeIn, syntaxFault } from "../../../lib/json/json_faults.ts";
import { kindOf } from "../conversation/conversation.ts";
import { roundedNumber } from "../checks/rounded_numbers.ts";

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
  if (!isJsonLike(value)) return no("is text, not a list or an object");
  let parsed: Json;
  try {
    parsed = JSON.parse(value) as Json;
  } catch (error) {
    if (isPythonRepr(value)) return no("is Python's repr, not JSON: write it with json.dumps");
    return no(`is not valid JSON: ${faultText(value, syntaxFault(value, error))}`);
  }
  const fault = lossFault(value, parsed);
  if (fault) return no(`cannot be read as JSON without loss: ${faultText(value, fault)}`);
  if (roundedNumber(parsed, "") !== undefined) {
    return no("is JSON text with a number that has more digits than a 64-bit float keeps; put it in quotes");
  }
  // A text that begins like a list or an object can be nothing else.
  return { ok: true, value: parsed as readonly Json[] | JsonObject };
}

function faultText(text: string, { offset, reason }: JsonFault): string {
  const { lines, column } = placeIn(text, offset);
  const line = lines === 0 ? "" : `line ${lines + 1}, `;
  return `${reason} (${line}column ${column}, near ${nearText(text, offset)})`;
}

/** Whether a cell is a text that begins like a list or an object. */
export function isJsonLike(value: Json | undefined): value is string {
  return typeof value === "string" && /^\s*[[{]/.test(value);
}

/** Whether a cell that is no JSON was meant to be a list of objects. */
export function isMeantAsList(value: Json | undefined): boolean {
  return isJsonLike(value) && /^\s*\[\s*(\{|array\()/.test(value);
}

/** What str() makes of lists and dicts. */
function isPythonRepr(text: string): boolean {
  return /^\s*\[?\s*\{\s*'/.test(text) || /[[,:]\s*(None|True|False|nan|array\()/.test(text);
}

function no(reason: string): JsonCell {
  return { ok: false, reason };
}
