import { briefDuration } from "../lib/text/format.ts";
import { firstLine, oneLine, textWidth, truncate } from "../lib/text/text_width.ts";
import type { StepState } from "../log/run_state.ts";
import { progressBar, sparkline } from "./bar.ts";
import { fitting } from "./fitting.ts";
import type { Palette } from "./palette.ts";
import { counter, counts, measured } from "../view/progress_text.ts";
import { markOf } from "../view/summary_text.ts";
import { roomOf, stepLine } from "./step_text.ts";

const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
/** Slow enough to be calm. */
const SPINNER_MS = 250;
const INDENT = "    ";
const BAR = { least: 8, most: 32 };
const CURVE_WIDTH = 24;
const GAP = 2;
const SEPARATOR = " · ";

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
  const words = { mark, now: moment.now };
  const line = stepLine(
    step,
    { ...words, detail: detail(step, moment, roomOf(step, words, width)) },
    palette,
    width,
  );
  return bar === undefined ? [line] : [line, bar];
}

function detail(step: StepState, moment: Moment, room: number): string {
  if (step.state === "retrying") return `waiting to retry: ${firstLine(step.error?.message ?? "")}`;
  if (!step.progress) return "";
  const { share, left } = moment;
  const percent = share === undefined ? "" : ` · ${Math.floor(share * 100)}% of the run`;
  const phase = oneLine(step.progress.phase) + percent;
  if (!counts(step.progress)) {
    const { loss, speed } = measured(step.progress);
    const count = counter(step.progress);
    const time = share === undefined || left === undefined ? undefined : `${briefDuration(left)} left`;
    const parts = fitting(
      [phase, count, loss, speed, time],
      [loss, phase, count, time, speed],
      room + SEPARATOR.length,
      SEPARATOR.length,
    );
    // Alone, what is too long is cut.
    return parts.join(SEPARATOR) || (loss ?? phase);
  }
  if (measured(step.progress).loss === undefined) return phase;
  const curve = sparkline(moment.losses, Math.min(CURVE_WIDTH, room - textWidth(phase) - GAP));
  return curve.length < 2 ? phase : `${phase}  ${curve}`;
}

/** Bar and numbers; where the width does not suffice the least important number goes first, the loss and the count last. */
function barLine(step: StepState, moment: Moment, palette: Palette, width: number): string {
  const progress = step.progress!;
  const { loss, speed } = measured(progress);
  const count = counter(progress);
  const left = moment.left === undefined ? undefined : `${briefDuration(moment.left)} left`;
  const room = width - INDENT.length;
  const shown = (room: number) => fitting([count, loss, speed, left], [loss, count, left, speed], room, GAP);
  const beside = shown(room - BAR.least);
  const alone = shown(room + GAP).filter((part) => part === loss || part === count);
  // What is measured says more than a bar.
  if (alone.length > beside.length) return INDENT + alone.join(" ".repeat(GAP));
  const used = beside.reduce((sum, part) => sum + GAP + textWidth(part), 0);
  const { done, rest } = progressBar(
    moment.share ?? progress.done! / progress.total!,
    Math.max(0, Math.min(BAR.most, room - used)),
  );
  if (width < INDENT.length + 1) return truncate(done, width);
  return `${INDENT}${palette.accent(done)}${palette.dim(rest)}${beside.map((part) => `  ${part}`).join("")}`;
}

export function spinner(monotonic: number): string {
  return SPINNER[Math.floor(monotonic / SPINNER_MS) % SPINNER.length]!;
}
