import { FORMS, sameCalls, splitReasoning } from "../../../lib/text/answers.ts";
import { exactJson } from "../../../lib/json/exact_json.ts";
import { javaScriptPattern } from "../../../spec/rules/regex.ts";
import type { Spec } from "../../../spec/schema/schema.ts";

type Metric = (answer: string, expected: string) => boolean;

/**
 * Whether an answer is right: the same rules as the trainer's metrics.py. `undefined`: nothing is scored. Tool calls are
 * judged in the form in which answerText() writes them.
 */
export function metricOf(evaluate: Spec["evaluate"]): Metric | undefined {
  const metric = plainMetric(evaluate);
  if (!metric || evaluate.reasoning === "include") return metric;
  return (answer, expected) => metric(splitReasoning(answer).answer, splitReasoning(expected).answer);
}

function plainMetric({ metric, pattern }: Spec["evaluate"]): Metric | undefined {
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
    case "tool_call":
      return (answer, expected) => sameCalls(FORMS["json"]!(answer), FORMS["json"]!(expected));
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
