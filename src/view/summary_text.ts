import { bytes, count, figure, magnitude } from "../lib/text/format.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";
import { oneLine } from "../lib/text/text_width.ts";
import { objectOf, scoreChange, scoresOf } from "./scores.ts";
import type { StepState } from "../log/run_state.ts";
import { unusedFields } from "./unused_text.ts";

const SEPARATOR = " · ";
/** Longest text of a summary that is shown; longer ones are for `show --json`. */
const LONGEST_TEXT = 40;
/** What matters most in a summary, by name. The rest is detail. */
const FACTS = new Set(["train", "eval", "rows", "tokens", "truncated"]);
/** Said in one phrase. */
const SCORES = new Set(["metric", "before", "after"]);
/** Settings, which are shown as such, what is said together with others, and what is of use to programs alone. */
const QUIET = new Set([
  "base",
  "epochs",
  "learning_rate",
  "parameters",
  "eval_rows",
  "supervised",
  "masked",
  "template_matches_base",
]);

/** A step's summary in words: `350 train · 60 eval` and, for a second line, `columns`, `1 field unused`. */
export interface SummaryWords {
  readonly fact: string;
  readonly details: readonly string[];
}

/** Only what is short; of what is nested, warnings, unused fields and the registration. */
export function summaryWords(summary: JsonObject | undefined): SummaryWords {
  const facts = scoreWords(objectOf(summary));
  const isSaid = (name: string) => QUIET.has(name) || (facts.length > 0 && SCORES.has(name));
  const details: string[] = [];
  for (const [name, value] of Object.entries(summary ?? {}).filter(([name]) => !isSaid(name))) {
    (FACTS.has(name) ? facts : details).push(...words(name, value, summary!));
  }
  const [first = "", ...rest] = details;
  return facts.length > 0 ? { fact: facts.join(SEPARATOR), details } : { fact: first, details: rest };
}

/** The same as one phrase, for lines without width bound. */
export function summaryText(summary: JsonObject | undefined): string {
  const { fact, details } = summaryWords(summary);
  return [fact, ...details].filter((part) => part !== "").join(SEPARATOR);
}

function scoreWords(summary: JsonObject): string[] {
  const scores = scoresOf(summary);
  const change = scoreChange(scores);
  return change === "" ? [] : [`${scores.metric ?? "score"} ${change}`];
}

function words(name: string, value: Json, summary: JsonObject): string[] {
  if (name === "warnings") return warningsText(objectOf(value));
  if (name === "unused") return notUsedText(unusedFields(summary).length);
  if (name === "registration") return registrationText(objectOf(value));
  if (typeof value === "number") return numberText(name, value, summary);
  if (typeof value === "string" && value !== "" && value.length <= LONGEST_TEXT) return [oneLine(value)];
  return value === true ? [name.replaceAll("_", " ")] : [];
}

function numberText(name: string, value: number, { parameters, tokens }: JsonObject): string[] {
  if (name === "truncated" && value === 0) return [];
  if (name === "trainable" && typeof parameters === "number") {
    return [`trains ${magnitude(value)} of ${magnitude(parameters)} parameters`];
  }
  if (name === "longest" && tokens !== undefined) return [`longest row ${amount(value, "tokens")}`];
  return [amount(value, name.replaceAll("_", " "))];
}

function registrationText({ done, model }: JsonObject): string[] {
  return done === true && typeof model === "string" ? [`served as ${oneLine(model)}`] : ["not registered"];
}

function amount(value: number, noun: string): string {
  if (noun === "bytes") return bytes(value);
  if (!Number.isInteger(value)) return `${figure(value)} ${noun}`;
  return `${count(value)} ${value === 1 ? noun.replace(/s$/, "") : noun}`;
}

function warningsText(counts: JsonObject): string[] {
  const found = Object.entries(counts).flatMap(([check, n]) =>
    typeof n === "number" && n > 0 ? [amount(n, check.replaceAll("_", " "))] : []
  );
  return found.length === 0 ? [] : [`warnings: ${found.join(", ")}`];
}

function notUsedText(fields: number): string[] {
  return fields === 0 ? [] : [`${count(fields)} ${fields === 1 ? "field" : "fields"} unused`];
}

/** The mark of a state that lasts. */
export function markOf(step: StepState): string {
  switch (step.state) {
    case "done":
      return "✓";
    case "failed":
      return "✗";
    case "cancelled":
      return "■";
    case "interrupted":
      return "‖";
    case "running":
      return "▸";
    case "retrying":
      return "↻";
    case "pending":
      return "·";
  }
}
