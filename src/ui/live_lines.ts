import { briefDuration } from "../lib/text/format.ts";
import { firstLine, oneLine, textWidth, truncate } from "../lib/text/text_width.ts";
import type { StepState } from "../log/run_state.ts";
import { progressBar, sparkline } from "./bar.ts";
import type { Palette } from "./palette.ts";
import { counter, counts, measured } from "../view/progress_text.ts";
import { markOf } from "../view/summary_text.ts";
import { stepLine } from "./step_text.ts";

const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
/** Slow enough to be calm. */
const SPINNER_MS = 250;
const INDENT = "    ";
const BAR = { least: 8, most: 32 };
const CURVE_WIDTH = 24;

export interface Moment {
  /** Milliseconds that the run still takes, or else this count; undefined where that is unknown. */
  readonly left: number | undefined;
  /** How much of the whole run is done, where that is known. */
  readonly share?: number | undefined;
  readonly losses: readonly number[];
  readonly now: number;
  readonly monotonic: number;
}

/** The running step: its line, and a bar below it while something counts. */
export function liveLines(step: StepState, moment: Moment, palette: Palette, width: number): string[] {
  const bar = step.progress && counts(step.progress) ? barLine(step, moment, palette, width) : undefined;
  const mark = step.state === "retrying" ? markOf(step) : spinner(moment.monotonic);
  const line = stepLine(step, { mark, detail: detail(step, moment), now: moment.now }, palette, width);
  return bar === undefined ? [line] : [line, bar];
}

function detail(step: StepState, moment: Moment): string {
  if (step.state === "retrying") return `waiting to retry: ${firstLine(step.error?.message ?? "")}`;
  if (!step.progress) return "";
  const { share, left } = moment;
  const percent = share === undefined ? "" : ` · ${Math.floor(share * 100)}% of the run`;
  const phase = oneLine(step.progress.phase) + percent;
  if (!counts(step.progress)) {
    const { loss, speed } = measured(step.progress);
    const time = share === undefined || left === undefined ? undefined : `${briefDuration(left)} left`;
    return [phase, counter(step.progress), loss, speed, time].filter((part) => part !== undefined).join(
      " · ",
    );
  }
  const curve = measured(step.progress).loss === undefined ? "" : sparkline(moment.losses, CURVE_WIDTH);
  return curve.length < 2 ? phase : `${phase}  ${curve}`;
}

/** Bar and numbers; where the width does not suffice the least important number goes first. */
function barLine(step: StepState, moment: Moment, palette: Palette, width: number): string {
  const progress = step.progress!;
  const { loss, speed } = measured(progress);
  const left = moment.left === undefined ? undefined : `${briefDuration(moment.left)} left`;
  const byRank = [counter(progress), left, loss, speed];
  const room = width - INDENT.length - BAR.least;
  const shown = new Set<string>();
  let used = 0;
  for (const part of byRank) {
    if (part === undefined) continue;
    if (used + 2 + textWidth(part) > room) break;
    used += 2 + textWidth(part);
    shown.add(part);
  }
  const numbers = [counter(progress), loss, speed, left].filter((part) =>
    part !== undefined && shown.has(part)
  );
  const barWidth = Math.max(0, Math.min(BAR.most, width - INDENT.length - used));
  const { done, rest } = progressBar(moment.share ?? progress.done! / progress.total!, barWidth);
  if (width < INDENT.length + 1) return truncate(done, width);
  return `${INDENT}${palette.accent(done)}${palette.dim(rest)}${numbers.map((part) => `  ${part}`).join("")}`;
}

export function spinner(monotonic: number): string {
  return SPINNER[Math.floor(monotonic / SPINNER_MS) % SPINNER.length]!;
}
