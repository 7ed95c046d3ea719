import { canonicalJson } from "../../lib/json.ts";
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
  return new RegExp(pattern.split(/\{\{\s*expected\s*\}\}/).join(`(?:${escaped})`));
}

function jsonEqual(answer: string, expected: string): boolean {
  try {
    return canonicalJson(JSON.parse(answer)) === canonicalJson(JSON.parse(expected));
  } catch {
    return false;
  }
}
