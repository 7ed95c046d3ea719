import { duration, figure } from "../lib/text/format.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { firstLine, oneLine } from "../lib/text/text_width.ts";
import { elapsed } from "./elapsed.ts";
import type { ErrorInfo, LogEvent, UnknownEvent } from "../log/events.ts";
import { progressText } from "./progress_text.ts";
import { runProgress } from "./run_progress.ts";
import { changeText, HELD_OUT_LOSS, scoreChange, scoresOf } from "./scores.ts";
import type { RunState, StepState } from "../log/run_state.ts";
import { summaryText } from "./summary_text.ts";

/** How parts of a line are emphasised; each returns the text unchanged where styling is unavailable. */
export type EventPalette = {
  readonly [style in "bold" | "dim" | "good" | "bad" | "warn"]: (text: string) => string;
};

/** An event as one line without width bound. `state` is the state after it. */
export function eventText(event: LogEvent | UnknownEvent, state: RunState, palette: EventPalette): string {
  if ("unknown" in event) return palette.dim(`${event.type} (from a later version)`);
  switch (event.type) {
    case "run.started":
      return `${palette.bold(event.run)} started: ${event.method} with provider ${event.provider}`;
    case "run.resumed":
      return `${palette.bold(state.id)} resumed${
        event.torn > 0 ? `, ${event.torn} bytes of a cut event removed` : ""
      }`;
    case "step.started":
      return `${event.step}: started${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`;
    case "step.skipped":
      return `${event.step}: ${palette.good("cached")}, made by ${event.from}${
        details(summaryText(event.summary))
      }`;
    case "step.submitted":
      return `${event.step}: job started${details(jobText(event.job))}`;
    case "step.progress":
      return `${event.step}: ${progressLine(event, state, palette)}`;
    case "step.retrying":
      return `${event.step}: ${palette.warn(`retries in ${duration(event.delayMs)}`)}, ${
        firstLine(event.error.message)
      }`;
    case "step.done":
      return `${event.step}: ${palette.good("done")}${took(state, event)}${
        details(summaryText(event.summary))
      }`;
    case "step.failed":
      return `${event.step}: ${palette.bad("failed")}${took(state, event)}, ${
        firstLine(event.error.message)
      }`;
    case "run.done":
      return `${palette.good("done")}${scoreText(state)}`;
    case "run.failed":
      return `${palette.bad("failed")}: ${errorText(event.error)}`;
    case "run.cancelled":
      return palette.warn("cancelled");
    default:
      return event satisfies never;
  }
}

function progressLine(
  event: Extract<LogEvent, { type: "step.progress" }>,
  state: RunState,
  palette: EventPalette,
): string {
  const step = stepOf(state, event.step);
  if (event.message !== undefined) return `${palette.warn("note")}: ${oneLine(event.message)}`;
  if (!step?.progress) return oneLine(event.phase);
  const left = step.expected && runProgress(state, Date.parse(event.t)).left;
  return oneLine(progressText(step.progress, left));
}

/** A job in its provider's words. Its numbers name things, so they are not grouped. */
function jobText(job: JsonObject): string {
  return Object.entries(job).filter(([, value]) => typeof value === "string" || typeof value === "number")
    .map(([name, value]) => `${name} ${oneLine(String(value))}`).join(", ");
}

function errorText({ message, hint }: ErrorInfo): string {
  return oneLine(message) + details(oneLine(hint ?? ""));
}

function took(state: RunState, event: { readonly step: string; readonly t: string }): string {
  const step = stepOf(state, event.step);
  const ms = step && elapsed(step, Date.parse(event.t));
  return ms === undefined ? "" : ` in ${duration(ms)}`;
}

function details(text: string): string {
  return text === "" ? "" : ` (${text})`;
}

function scoreText(state: RunState): string {
  const scores = scoresOf(state.metrics);
  const change = scoreChange(scores);
  const loss = changeText(scores.loss, figure);
  const parts = [
    ...change === "" ? [] : [`${scores.metric ?? "score"} ${change}`],
    ...loss === undefined ? [] : [`${HELD_OUT_LOSS} ${loss}`],
  ];
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

function stepOf(state: RunState, kind: string): StepState | undefined {
  return state.steps.find((step) => step.kind === kind);
}
