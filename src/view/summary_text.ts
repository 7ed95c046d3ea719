import { bytes, count, figure } from "../lib/text/format.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { oneLine } from "../lib/text/text_width.ts";
import { objectOf } from "./scores.ts";
import type { StepState } from "../log/run_state.ts";
import { unusedFields } from "./unused_text.ts";

/** Longest text of a summary that a line shows; longer ones are for `show --json`. */
const LONGEST_TEXT = 40;

/** A step's summary as a phrase: `columns · 350 train · 60 eval`. Only what is short; of what is nested, warnings and unused fields. */
export function summaryText(summary: JsonObject | undefined): string {
  return Object.entries(summary ?? {}).flatMap(([name, value]) => {
    const noun = name.replaceAll("_", " ");
    if (typeof value === "number") return [amount(value, noun)];
    if (typeof value === "string" && value !== "" && value.length <= LONGEST_TEXT) return [oneLine(value)];
    if (name === "warnings") return warningsText(objectOf(value));
    if (name === "unused") return notUsedText(unusedFields(summary).length);
    return value === true ? [noun] : [];
  }).join(" · ");
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
