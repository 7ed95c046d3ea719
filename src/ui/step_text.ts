import type { JsonObject } from "../lib/json.ts";
import { oneLine, pad, textWidth, truncate } from "../lib/text_width.ts";
import type { StepState } from "../log/state.ts";
import { briefDuration, bytes, count, figure } from "../lib/format.ts";
import { objectOf } from "./metrics.ts";
import type { Paint, Palette } from "./palette.ts";

/** Longest text of a summary that a line shows; longer ones are for `show --json`. */
const LONGEST_TEXT = 40;
const NAME_WIDTH = 9;
const TIME_WIDTH = 7;

/** A step's summary as a phrase: `columns · 350 train · 60 eval`. Only what is short; of what is nested, warnings. */
export function summaryText(summary: JsonObject | undefined): string {
  return Object.entries(summary ?? {}).flatMap(([name, value]) => {
    const noun = name.replaceAll("_", " ");
    if (typeof value === "number") return [amount(value, noun)];
    if (typeof value === "string" && value !== "" && value.length <= LONGEST_TEXT) return [oneLine(value)];
    if (name === "warnings") return warningsText(objectOf(value));
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

/** Milliseconds that the step's latest attempt took, or has taken until `now`. */
export function elapsed(step: StepState, now: number): number | undefined {
  if (step.started === undefined) return undefined;
  const end = step.finished === undefined ? now : Date.parse(step.finished);
  return Math.max(0, end - Date.parse(step.started));
}

/** One line of a step: mark, name, time, what there is to say. Never wider than `width` (0: no bound). */
export function stepLine(
  step: StepState,
  line: { readonly mark: string; readonly detail: string; readonly now: number },
  palette: Palette,
  width: number,
): string {
  const ms = elapsed(step, line.now);
  const time = step.cached ? "cached" : ms === undefined ? "" : briefDuration(ms);
  const head = `  ${line.mark} ${pad(step.kind, NAME_WIDTH)}  ${pad(time, TIME_WIDTH, "right")}`;
  const bound = width || Infinity;
  if (textWidth(head) >= bound - 2) return paintHead(truncate(head, bound), step, line.mark, palette);
  const detail = truncate(line.detail, bound - textWidth(head) - 2);
  return `${paintHead(head, step, line.mark, palette)}${detail === "" ? "" : `  ${palette.dim(detail)}`}`;
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

function paintHead(head: string, step: StepState, mark: string, palette: Palette): string {
  if (step.state === "pending") return palette.dim(head);
  return head.replace(mark, markPaint(step, palette)(mark));
}

function markPaint(step: StepState, palette: Palette): Paint {
  switch (step.state) {
    case "done":
      return palette.good;
    case "failed":
      return palette.bad;
    case "interrupted":
    case "cancelled":
    case "retrying":
      return palette.warn;
    default:
      return palette.accent;
  }
}
