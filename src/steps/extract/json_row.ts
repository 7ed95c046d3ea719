import type { Json } from "../../lib/json/json.ts";
import { type JsonFault, lossFault, nearText, placeIn, syntaxFault } from "../../lib/json/json_faults.ts";
import { kindOf } from "./row.ts";

/** What is wrong with the JSON text of a row. */
export interface RowFault {
  /** Lines after the one the text begins in. */
  readonly lines: number;
  /** In characters, counted from 1; of the row's first line, those before the row not included. */
  readonly column: number;
  /** What is wrong, without the place. */
  readonly reason: string;
  /** What stands there, ready to be put behind the place. */
  readonly near: string;
  readonly kind: "cut" | "list" | "other";
}

/** Looks at the JSON text of a row, which must be an object from which nothing is lost. */
export function rowFault(text: string): RowFault | undefined {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    const { offset, reason } = syntaxFault(text, error);
    const kind = offset >= text.trimEnd().length ? "cut" : "other";
    return located(text, { offset, reason: `not valid JSON, ${reason}` }, kind);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const kind = Array.isArray(value) ? "list" : "other";
    return { lines: 0, column: 0, reason: `the row is ${kindOf(value)}, not an object`, near: "", kind };
  }
  try {
    const fault = lossFault(text, value);
    return fault && located(text, fault, "other");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const reason = "the row is nested too deeply";
    return { lines: 0, column: 0, reason, near: "", kind: "other" };
  }
}

/** What is wrong and where. `indent`: the characters before the row in its first line. */
export function faultText({ lines, column, reason, near }: RowFault, indent = 0): string {
  if (column === 0) return reason;
  return `${reason} (column ${lines === 0 ? column + indent : column}, near ${near})`;
}

function located(text: string, { offset, reason }: JsonFault, kind: RowFault["kind"]): RowFault {
  return { ...placeIn(text, offset), reason, near: nearText(text, offset), kind };
}
