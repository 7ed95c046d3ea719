import type { Json } from "../../../lib/json/json.ts";
import { scanJson } from "../../../lib/json/json_scan.ts";

/** What is said of a number whose digits JSON.parse has rounded. */
export const TOO_MANY_DIGITS = "is a number with more digits than a 64-bit float keeps; put it in quotes";

/** Where the first such number stands at or below `path`. */
export function roundedNumber(value: Json | undefined, path: string): string | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? path : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const inner = Array.isArray(value)
    ? value.map((item, i) => [item as Json, `${path}[${i}]`] as const)
    : Object.entries(value).map(([key, member]) => [member as Json, `${path}.${key}`] as const);
  for (const [member, at] of inner) {
    const found = roundedNumber(member, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a double keeps of a number for sure. */
const MOST_DIGITS = 17;

/** The field of a line as extract writes it, among those named, that holds a decimal number with more digits than that. */
export function longDecimal(line: string, fields: readonly string[]): string | undefined {
  // The line is an object around the row, whose own keys are the fields.
  let depth = 0;
  let field = "";
  let found: string | undefined;
  scanJson(line, {
    onObject: () => void depth++,
    onObjectEnd: () => void depth--,
    onKey(key) {
      if (depth === 2) field = key;
    },
    onNumber(source) {
      if (fields.includes(field) && decimalDigits(source) > MOST_DIGITS) found ??= field;
    },
  });
  return found;
}

function decimalDigits(source: string): number {
  const mantissa = source.replace(/[eE].*$/, "");
  return mantissa.includes(".") ? mantissa.replace(/[-.]/g, "").replace(/^0+|0+$/g, "").length : 0;
}

/** Whether the JSON text of a row may hold one, written out: nearly none has so many digits in a row. */
export function mayBeRounded(text: string): boolean {
  return /\d{16}/.test(text);
}
