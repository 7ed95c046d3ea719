import type { Json } from "../../../lib/json/json.ts";

/** Half of a surrogate pair, as JSON.stringify escapes it: not behind a backslash of the text. */
const HALF_CHARACTER = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** Whether a text within a value has half of a surrogate pair, which is no character. */
export function holdsHalfCharacter(value: Json): boolean {
  const json = JSON.stringify(value);
  return json.includes("\\ud") && HALF_CHARACTER.test(json);
}
