import { textWidth } from "../lib/text/text_width.ts";

const HIDE = "\x1b[?25l";
const SHOW = "\x1b[?25h";
const ERASE_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/**
 * Lines at the bottom of a terminal that are drawn anew in place. Each frame is one write that begins by
 * hiding the cursor and ends by showing it, so that no death of the process leaves it hidden.
 */
export class LiveRegion {
  #drawn: readonly string[] = [];

  /** Writes `finished` for good above the live lines, then `live`. `""` when nothing would change. */
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
