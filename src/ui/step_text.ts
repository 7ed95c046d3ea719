import { briefDuration } from "../lib/text/format.ts";
import { pad, textWidth, truncate } from "../lib/text/text_width.ts";
import { elapsed } from "../view/elapsed.ts";
import type { StepState } from "../log/run_state.ts";
import type { Paint, Palette } from "./palette.ts";

const NAME_WIDTH = 9;
const TIME_WIDTH = 7;

/**
 * One line of a step: mark, name, time, what there is to say. `label`: of its run, where there are several. Never wider
 * than `width` (0: no bound).
 */
export function stepLine(
  step: StepState,
  line: { readonly mark: string; readonly label?: string; readonly detail: string; readonly now: number },
  palette: Palette,
  width: number,
): string {
  const ms = elapsed(step, line.now);
  const time = step.cached ? "cached" : ms === undefined ? "" : briefDuration(ms);
  const label = line.label === undefined ? "" : `${line.label}  `;
  const head = `  ${line.mark} ${label}${pad(step.kind, NAME_WIDTH)}  ${pad(time, TIME_WIDTH, "right")}`;
  const bound = width || Infinity;
  if (textWidth(head) >= bound - 2) return paintHead(truncate(head, bound), step, line.mark, palette);
  const detail = truncate(line.detail, bound - textWidth(head) - 2);
  return `${paintHead(head, step, line.mark, palette)}${detail === "" ? "" : `  ${palette.dim(detail)}`}`;
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
