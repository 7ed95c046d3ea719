import { canonicalJson, type Json } from "./json.ts";

/**
 * One text for each JSON value. Numbers are compared by their digits: two that round to the same double differ.
 * Throws a SyntaxError on what is not JSON.
 */
export function exactJson(text: string): string {
  return canonicalJson(parseExact(text));
}

/** JSON whose texts begin with `s` and whose numbers are texts that begin with `n`, each spelled in one way. */
export function parseExact(text: string): Json {
  const keep = (_: string, value: Json, { source }: { readonly source: string }) =>
    typeof value === "number" ? `n${decimal(source)}` : typeof value === "string" ? `s${value}` : value;
  return JSON.parse(text, keep as (key: string, value: Json) => Json);
}

/** The same for `1`, `1.0` and `10e-1`. */
function decimal(literal: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
    .exec(literal)!;
  const digits = (whole + fraction).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  if (kept === "") return "0";
  return `${sign}${kept}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)}`;
}
