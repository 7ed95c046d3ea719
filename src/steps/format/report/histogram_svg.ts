import { count } from "../../../lib/text/format.ts";
import { type Html, html } from "../../../lib/text/html.ts";
import type { Bin } from "../checks/lengths.ts";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [440, 190, 46, 8, 18, 34];

/** Bars of how many rows have which length. Every bar says its figures when pointed at. */
export function histogramSvg(bins: readonly Bin[], label: string): Html {
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, bins.length);
  const floor = HEIGHT - BOTTOM;
  const bars = bins.map((bin, i) => {
    // A bar of few rows beside one of many must not vanish.
    const height = bin.count === 0 ? 0 : Math.max(1.5, bin.count / most * (floor - TOP));
    const from = i === 0 ? 0 : (bins[i - 1] as Bin).upTo + 1;
    return html`
      <rect x="${at(LEFT + i * step + 0.5)}" y="${at(floor - height)}" width="${at(
        Math.max(0.5, step - 1),
      )}" height="${at(height)}" rx="1">
        <title>${count(from)} to ${count(bin.upTo)} characters: ${count(bin.count)}</title>
      </rect>
    `;
  });
  const every = Math.ceil(bins.length / 6);
  const ticks = bins.map((bin, i) =>
    i % every === 0 || (i === bins.length - 1 && i % every > every / 2)
      ? html`<text x="${at(LEFT + (i + 0.5) * step)}" y="${floor + 14}" text-anchor="middle">${
        compact(bin.upTo)
      }</text>`
      : undefined
  );
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${floor}" y2="${floor}"/>
<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${TOP}" y2="${TOP}" stroke-dasharray="2 3"/>
<text x="${LEFT - 6}" y="${TOP + 4}" text-anchor="end">${compact(most)}</text>
<text x="${LEFT - 6}" y="${floor + 4}" text-anchor="end">0</text>
${bars}
${ticks}
<text x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end">characters per row, up to</text>
</svg>`;
}

function at(position: number): string {
  return String(Math.round(position * 10) / 10);
}

function compact(n: number): string {
  if (n < 10_000) return count(n);
  return n < 1_000_000 ? `${Math.round(n / 1000)}k` : `${Math.round(n / 100_000) / 10}M`;
}
