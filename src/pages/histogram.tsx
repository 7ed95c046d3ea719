/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count } from "../lib/text/format.ts";
import type { SetReport } from "./data_report.ts";
import { at } from "./parts.tsx";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [440, 190, 46, 8, 18, 34];
const FLOOR = HEIGHT - BOTTOM;

type Bin = SetReport["lengths"]["histogram"][number];

/** Bars of how many rows have which length. Every bar says its figures when pointed at. */
export function Histogram({ bins, label }: { bins: readonly Bin[]; label: string }) {
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, bins.length);
  return (
    <svg class="histogram" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <line x1={LEFT} x2={WIDTH - RIGHT} y1={FLOOR} y2={FLOOR} />
      <line x1={LEFT} x2={WIDTH - RIGHT} y1={TOP} y2={TOP} stroke-dasharray="2 3" />
      <text x={LEFT - 6} y={TOP + 4} text-anchor="end">{compact(most)}</text>
      <text x={LEFT - 6} y={FLOOR + 4} text-anchor="end">0</text>
      {bins.map((bin, i) => (
        <rect
          x={at(LEFT + i * step + 0.5)}
          y={at(FLOOR - heightOf(bin, most))}
          width={at(Math.max(0.5, step - 1))}
          height={at(heightOf(bin, most))}
          rx={1}
        >
          <title>
            {count(i === 0 ? 0 : bins[i - 1]!.upTo + 1)} to {count(bin.upTo)} characters: {count(bin.count)}
          </title>
        </rect>
      ))}
      {bins.map((bin, i) =>
        hasTick(i, bins.length)
          ? (
            <text x={at(LEFT + (i + 0.5) * step)} y={FLOOR + 14} text-anchor="middle">
              {compact(bin.upTo)}
            </text>
          )
          : null
      )}
      <text x={WIDTH - RIGHT} y={HEIGHT - 4} text-anchor="end">characters per row, up to</text>
    </svg>
  );
}

/** A bar of few rows beside one of many must not vanish. */
function heightOf(bin: Bin, most: number): number {
  return bin.count === 0 ? 0 : Math.max(1.5, bin.count / most * (FLOOR - TOP));
}

function hasTick(i: number, bins: number): boolean {
  const every = Math.ceil(bins / 6);
  return i % every === 0 || (i === bins - 1 && i % every > every / 2);
}

function compact(n: number): string {
  if (n < 10_000) return count(n);
  return n < 1_000_000 ? `${Math.round(n / 1000)}k` : `${Math.round(n / 100_000) / 10}M`;
}
