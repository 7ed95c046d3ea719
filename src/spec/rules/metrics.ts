import { exactJson } from "../../lib/json/exact_json.ts";
import { FORMS, sameCalls, splitReasoning } from "../../lib/text/answers.ts";
import { javaScriptPattern } from "./regex.ts";

/** Whether an answer is right. */
type Judge = (answer: string, expected: string, pattern: string) => boolean;

interface Metric {
  /** What counts as right, in a few words. */
  readonly description: string;
  readonly right: Judge;
  /** Whether reasoning never counts, whatever evaluate.reasoning is. */
  readonly answerOnly?: boolean;
}

/**
 * Every metric, for hosted answers. The trainer has the same ones in trainer/temper_trainer/eval/metrics/;
 * tests/fixtures/answers.json checks that both agree. Tool calls are judged in the form in which a hosted
 * answer is written down: JSON.
 */
const METRICS = {
  exact_match: {
    description: "the same text after trimming",
    right: (answer, expected) => answer.trim() === expected.trim(),
  },
  contains: { description: "the answer contains the expected text", right: contains },
  regex: { description: "it matches evaluate.pattern", right: matches },
  json_equal: { description: "the same JSON value", right: jsonEqual },
  tool_call: {
    description: "it calls the same tools with JSON-equal arguments, or none where none is expected",
    right: (answer, expected) => sameCalls(FORMS["json"]!(answer), FORMS["json"]!(expected)),
    answerOnly: true,
  },
} as const satisfies Readonly<Record<string, Metric>>;

type Name = keyof typeof METRICS | "none";

/** What evaluate.metric may be. */
export const METRIC_NAMES: readonly Name[] = [...Object.keys(METRICS) as (keyof typeof METRICS)[], "none"];

/** For the description of evaluate.metric. */
export const METRIC_DESCRIPTIONS: string = [
  ...Object.entries(METRICS).map(([name, { description }]) => `${name}: ${description}`),
  "none: loss and perplexity only",
].join("; ");

/** The metric that an evaluation names; `undefined`: nothing is scored. */
export function metricOf(
  evaluate: {
    readonly metric: Name;
    readonly pattern?: string | undefined;
    readonly reasoning: "exclude" | "include";
  },
): ((answer: string, expected: string) => boolean) | undefined {
  if (evaluate.metric === "none") return undefined;
  const { right, answerOnly }: Metric = METRICS[evaluate.metric];
  const pattern = evaluate.pattern ?? "";
  if (evaluate.reasoning === "include" && !answerOnly) {
    return (answer, expected) => right(answer, expected, pattern);
  }
  return (answer, expected) => right(splitReasoning(answer).answer, splitReasoning(expected).answer, pattern);
}

/** Every answer contains an empty text, so that asks for an empty answer. */
function contains(answer: string, expected: string): boolean {
  const wanted = expected.trim();
  return wanted === "" ? answer.trim() === "" : answer.includes(wanted);
}

/** The group makes what follows the placeholder, such as a '+', apply to all of it. */
function matches(answer: string, expected: string, pattern: string): boolean {
  const escaped = expected.trim().replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return new RegExp(javaScriptPattern(pattern, `(?:${escaped})`)).test(answer.trim());
}

function jsonEqual(answer: string, expected: string): boolean {
  try {
    return exactJson(answer) === exactJson(expected);
  } catch {
    return false;
  }
}
