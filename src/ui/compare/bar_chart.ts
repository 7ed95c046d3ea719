import { type Html, html } from "../../lib/text/html.ts";
import { textWidth, truncateMiddle } from "../../lib/text/text_width.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as it is written beside the bar. */
  readonly text: string;
  /** Drawn thin below the bar: what it was before. */
  readonly earlier?: { readonly value: number; readonly text: string } | undefined;
}

const [WIDTH, ROW, BAR, THIN, TOP] = [440, 30, 14, 4, 4];
/** Room for the value to the right of the longest bar. */
const RIGHT = 92;
const LETTER = 7;
const MOST_LETTERS = 18;

/** Bars below each other, from 0 to the largest value or `most`. */
export function barChart(bars: readonly Bar[], label: string, most = 0): Html {
  const names = bars.map((bar) => truncateMiddle(bar.label, MOST_LETTERS));
  const left = Math.max(...names.map(textWidth)) * LETTER + 10;
  const top = Math.max(most, ...bars.flatMap(({ value, earlier }) => [value, earlier?.value ?? 0]));
  // A small value beside a large one must not vanish.
  const width = (value: number) => value > 0 ? Math.max(1.5, value / top * (WIDTH - RIGHT - left)) : 0;
  const height = TOP + bars.length * ROW - (ROW - BAR - THIN - TOP);
  const rows = bars.map(({ label, value, text, earlier }, i) => {
    const y = TOP + i * ROW;
    return html`<g><title>${label}: ${earlier ? `${earlier.text} before, ${text} after` : text}</title>
<text class="name" x="${left - 8}" y="${y + BAR - 3}" text-anchor="end">${names[i]}</text>
<rect x="${left}" y="${y}" width="${at(width(value))}" height="${BAR}" rx="2"/>
${
      earlier
        ? html`
          <rect class="earlier" x="${left}" y="${y + BAR + 2}" width="${at(
            Math.max(1.5, width(earlier.value)),
          )}" height="${THIN}" rx="2" />
        `
        : undefined
    }<text x="${at(left + width(value) + 8)}" y="${y + BAR - 3}">${text}</text></g>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">
${rows}
</svg>`;
}

function at(position: number): string {
  return String(Math.round(position * 10) / 10);
}
