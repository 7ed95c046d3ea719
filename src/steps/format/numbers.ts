import type { Json } from "../../lib/json.ts";

/** What is said of a number whose digits JSON.parse has rounded. */
export const TOO_MANY_DIGITS = "is a number with more digits than numbers keep; put it in quotes";

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

/** Whether the JSON text of a row may hold one, written out: nearly none has so many digits in a row. */
export function mayBeRounded(text: string): boolean {
  return /\d{16}/.test(text);
}
