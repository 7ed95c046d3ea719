/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { textWidth, truncateMiddle } from "../lib/text/text_width.ts";
import { at } from "./parts.tsx";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as it is written beside the bar. */
  readonly text: string;
  /** Drawn as a thin bar below: the value before. */
  readonly earlier?: { readonly value: number; readonly text: string } | undefined;
}

const [WIDTH, ROW, BAR, THIN, TOP] = [440, 30, 14, 4, 4];
/** Room for the value to the right of the longest bar. */
const RIGHT = 92;
/** Width of a letter of a bar's name: wide enough for the wide ones. */
const LETTER = 8.5;
const MOST_LETTERS = 18;

interface BarChartProps {
  readonly bars: readonly Bar[];
  readonly label: string;
  /** The value of the longest bar there could be. @default the largest value */
  readonly most?: number;
}

/** Bars below each other, from 0 to the largest value or `most`. */
export function BarChart({ bars, label, most = 0 }: BarChartProps) {
  const left = Math.max(...bars.map((bar) => textWidth(nameOf(bar)))) * LETTER + 10;
  const top = Math.max(most, ...bars.flatMap(({ value, earlier }) => [value, earlier?.value ?? 0]));
  const height = TOP + bars.length * ROW - (ROW - BAR - THIN - TOP);
  // A small value beside a large one must not vanish.
  const width = (value: number) => value > 0 ? Math.max(1.5, value / top * (WIDTH - RIGHT - left)) : 0;
  return (
    <svg class="bar-chart" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={label}>
      {bars.map((bar, i) => {
        const { label, value, text, earlier } = bar;
        const y = TOP + i * ROW;
        return (
          <g>
            <title>{label}: {earlier ? `${earlier.text} before, ${text} after` : text}</title>
            <text class="name" x={left - 8} y={y + BAR - 3} text-anchor="end">{nameOf(bar)}</text>
            <rect x={left} y={y} width={at(width(value))} height={BAR} rx={2} />
            {earlier
              ? (
                <rect
                  class="earlier"
                  x={left}
                  y={y + BAR + 2}
                  width={at(Math.max(1.5, width(earlier.value)))}
                  height={THIN}
                  rx={2}
                />
              )
              : null}
            <text x={at(left + width(value) + 8)} y={y + BAR - 3}>{text}</text>
          </g>
        );
      })}
    </svg>
  );
}

function nameOf({ label }: Bar): string {
  return truncateMiddle(label, MOST_LETTERS);
}
