import { briefDuration } from "../lib/text/format.ts";
import { pad, textWidth, truncate } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import { elapsed } from "../view/elapsed.ts";
import type { StepState } from "../log/run_state.ts";
import type { Paint, Palette } from "./palette.ts";

const NAME_WIDTH = 9;
const TIME_WIDTH = 7;
const GAP = 2;
const NOTE_INDENT = 4;
const SEPARATOR = " · ";
/** A longer line is hard to read, however wide the terminal is. */
const ONE_LINE = 100;

export interface StepWords {
  readonly mark: string;
  /** Of its run, where there are several. */
  readonly label?: string;
  /** Leaves the step's name and time out. */
  readonly brief?: boolean;
  readonly now: number;
}

/** Columns that a line has for what there is to say. */
export function roomOf(step: StepState, words: StepWords, width: number): number {
  return Math.max(0, (width || Infinity) - textWidth(headOf(step, words)) - GAP);
}

/** One line of a step: mark, name, time, what there is to say. Never wider than `width` (0: no bound). */
export function stepLine(
  step: StepState,
  line: StepWords & { readonly detail: string },
  palette: Palette,
  width: number,
): string {
  const head = headOf(step, line);
  const bound = width || Infinity;
  if (textWidth(head) >= bound - GAP) return paintHead(truncate(head, bound), step, line.mark, palette);
  const detail = truncate(line.detail, bound - textWidth(head) - GAP);
  return `${paintHead(head, step, line.mark, palette)}${detail === "" ? "" : `  ${palette.dim(detail)}`}`;
}

/**
 * The same with all of what there is to say: `fact` behind the head and `details` too where the width allows, otherwise
 * below it. A word, such as a run's id, is never cut.
 */
export function stepLines(
  step: StepState,
  line: StepWords & { readonly fact: string; readonly details: readonly string[] },
  palette: Palette,
  width: number,
): string[] {
  const head = headOf(step, line);
  const painted = paintHead(head, step, line.mark, palette);
  const { fact } = line;
  const details = line.details.filter((part) => part !== "");
  const column = textWidth(head) + GAP;
  const bound = width || Infinity;
  const all = [fact, ...details].filter((part) => part !== "").join(SEPARATOR);
  if (all === "") return [painted];
  if (column + textWidth(all) <= Math.min(bound, ONE_LINE)) {
    const rest = palette.dim(all.slice(fact.length));
    return [`${painted}${" ".repeat(GAP)}${fact}${rest}`];
  }
  // Where half of the width would stay empty, the lines below begin further to the left.
  const indent = " ".repeat(column * 3 <= bound ? column : NOTE_INDENT);
  const room = Math.max(1, bound - indent.length);
  const below = filled(details, room).map((text) => indent + palette.dim(text));
  if (fact === "") return [painted, ...below];
  if (column + textWidth(fact) <= bound) return [`${painted}${" ".repeat(GAP)}${fact}`, ...below];
  return [painted, ...filled([fact], room).map((text) => indent + text), ...below];
}

/** Lines that hold as many parts as fit; a part that is wider than a line is broken between its words. */
function filled(parts: readonly string[], room: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)}${SEPARATOR}${part}`;
    if (lines.length > 0 && textWidth(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(...wrap(part, room, "keep"));
  }
  return lines;
}

function headOf(step: StepState, { mark, label: given, brief = false, now }: StepWords): string {
  const ms = elapsed(step, now);
  const time = step.cached ? "cached" : ms === undefined ? "" : briefDuration(ms);
  const label = given === undefined ? "" : `${given}  `;
  if (brief) return `  ${mark} ${given ?? step.kind}`;
  return `  ${mark} ${label}${pad(step.kind, NAME_WIDTH)}  ${pad(time, TIME_WIDTH, "right")}`;
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
