import type { Clock } from "../lib/clock.ts";
import type { Terminal } from "../lib/terminal.ts";
import { textWidth } from "../lib/text/text_width.ts";

const HIDE = "\x1b[?25l";
const SHOW = "\x1b[?25h";
const ERASE_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/** Never draw more often than this. */
export const FRAME_MS = 100;
/** A narrower terminal, or one that does not know its width, gets lines that stay and no display. */
export const LEAST_COLUMNS = 20;

/**
 * Lines at the bottom of a terminal that are drawn anew in place. Each frame is one write that begins by
 * hiding the cursor and ends by showing it, so that it is never left hidden, however the process ends.
 */
export class LiveRegion {
  #drawn: readonly string[] = [];

  /** Writes `finished` permanently above the live lines, then `live`. `""` when nothing would change. */
  frame(finished: readonly string[], live: readonly string[], width: number): string {
    const same = live.length === this.#drawn.length && live.every((line, i) => line === this.#drawn[i]);
    if (finished.length === 0 && same) return "";
    const up = this.#drawn.reduce((rows, line) => rows + rowsOf(line, width), 0);
    this.#drawn = [...live];
    const lines = [...finished, ...live].map((line) => `${line}${ERASE_LINE}\n`).join("");
    return `${HIDE}${up > 0 ? `\x1b[${up}A` : ""}\r${lines}${ERASE_BELOW}${SHOW}`;
  }
}

/** A line drawn for a wider terminal takes several rows once it has become narrower. */
function rowsOf(line: string, width: number): number {
  return width < 1 ? 1 : Math.max(1, Math.ceil(textWidth(line) / width));
}

/** Columns of a live line. One stays free: writing the last one makes some terminals wrap. 0 where nothing can be drawn. */
export function liveWidth(terminal: Terminal): number {
  const columns = terminal.columns();
  return columns < LEAST_COLUMNS ? 0 : columns - 1;
}

/** Keeps times and marks moving while no event comes. */
export async function drawEvery(
  ms: number,
  clock: Clock,
  stop: AbortSignal,
  draw: () => void,
): Promise<void> {
  while (!stop.aborted) {
    try {
      await clock.sleep(ms, stop);
    } catch {
      return;
    }
    if (!stop.aborted) draw();
  }
}
