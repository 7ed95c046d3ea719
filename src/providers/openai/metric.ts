import { canonicalJson, type Json } from "../../lib/json.ts";
import { javaScriptPattern } from "../../spec/regex.ts";
import type { Spec } from "../../spec/schema.ts";

/** Whether an answer is right: the same rules as the trainer's metrics.py. `undefined`: nothing is scored. */
export function metricOf(
  { metric, pattern }: Spec["evaluate"],
): ((answer: string, expected: string) => boolean) | undefined {
  switch (metric) {
    case "exact_match":
      return (answer, expected) => answer.trim() === expected.trim();
    case "contains":
      return (answer, expected) => {
        const wanted = expected.trim();
        return wanted === "" ? answer.trim() === "" : answer.includes(wanted);
      };
    case "regex":
      return (answer, expected) => regexFor(pattern ?? "", expected).test(answer.trim());
    case "json_equal":
      return jsonEqual;
    case "none":
      return undefined;
    default:
      return metric satisfies never;
  }
}

/** A group keeps what follows the placeholder, such as a '+', from binding to its last letter alone. */
function regexFor(pattern: string, expected: string): RegExp {
  const escaped = expected.trim().replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return new RegExp(javaScriptPattern(pattern, `(?:${escaped})`));
}

function jsonEqual(answer: string, expected: string): boolean {
  try {
    return exactJson(answer) === exactJson(expected);
  } catch {
    return false;
  }
}

/** One text for each JSON value. Numbers are compared by their digits: two that round to the same double differ. */
function exactJson(text: string): string {
  const keep = (_: string, value: Json, { source }: { readonly source: string }) =>
    typeof value === "number" ? `n${decimal(source)}` : typeof value === "string" ? `s${value}` : value;
  return canonicalJson(JSON.parse(text, keep as (key: string, value: Json) => Json));
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
