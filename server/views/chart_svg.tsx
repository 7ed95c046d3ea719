/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { bytes, figure } from "../../src/lib/text/format.ts";
import { SERIES_COLORS } from "../../src/pages/colors.ts";
import type { ChartData, ChartName } from "../../src/view/charts.ts";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 240, 64, 12, 12, 24];

export interface Line {
  readonly name: string;
  /** Style of the line: `s0`, `s1`, … and `raw` or `dots`. */
  readonly style: string;
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** How the values of a chart are written. */
export function writeValue(chart: ChartName, value: number): string {
  return chart === "memory" ? bytes(value) : figure(value);
}

/** How lines are drawn that are not plain ones: single steps jump, and held-out rows are few. */
const DRAWN: Readonly<Record<string, string>> = { loss: "raw", "eval_loss": "dots" };

export function linesOf({ steps, series }: ChartData): Line[] {
  return Object.entries(series).map(([name, values]) => ({
    name,
    style: styleOf(name),
    steps,
    values,
  }));
}

/** The style of every series, for the script: it may draw some that are not there yet. */
export const SERIES_STYLES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(SERIES_COLORS).map((name) => [name, styleOf(name)]),
);

function styleOf(name: string): string {
  return [`s${SERIES_COLORS[name] ?? 0}`, DRAWN[name]].join(" ").trim();
}

/** Lines over steps as a picture, for who runs no script, and until the script has drawn its own. */
export function ChartSvg(
  { lines, chart, log, label }: { lines: readonly Line[]; chart: ChartName; log: boolean; label: string },
) {
  const scale = scaleOf(lines, log);
  if (!scale) return <p class="soft nothing">No data yet</p>;
  const { x, y, ticks, last } = scale;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {ticks.map((value) => (
        <>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">{writeValue(chart, value)}</text>
        </>
      ))}
      <text x={LEFT} y={HEIGHT - 6}>step {lines[0]!.steps[0]}</text>
      <text x={WIDTH - RIGHT} y={HEIGHT - 6} text-anchor="end">{last}</text>
      {lines.map((line) => {
        const places = points(line, log);
        // A line of one point would not be seen.
        return line.style.includes("dots") || places.length === 1
          ? places.map(([at, value]) => <circle class={line.style} cx={x(at)} cy={y(value)} r={4} />)
          : <path class={line.style} d={pathOf(places, x, y)} />;
      })}
    </svg>
  );
}

function points({ steps, values }: Line, log: boolean): [step: number, value: number][] {
  return steps.flatMap((step, i): [number, number][] => {
    const value = values[i];
    return value === null || value === undefined || (log && value <= 0) ? [] : [[step, value]];
  });
}

function pathOf(
  places: readonly (readonly [step: number, value: number])[],
  x: (n: number) => number,
  y: (n: number) => number,
): string {
  return places.map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step)} ${y(value)}`).join("");
}

function scaleOf(lines: readonly Line[], log: boolean) {
  const all = lines.flatMap((line) => points(line, log));
  if (all.length === 0) return undefined;
  const [first, last, least, greatest] = all.reduce(
    (
      [a, b, c, d],
      [step, value],
    ) => [Math.min(a, step), Math.max(b, step), Math.min(c, value), Math.max(d, value)],
    [Infinity, -Infinity, Infinity, -Infinity] as [number, number, number, number],
  );
  const of = log ? Math.log10 : (n: number) => n;
  // A flat line stands in the middle.
  const room = of(greatest) - of(least) || Math.abs(of(greatest)) || 1;
  const low = of(least) - room * 0.04;
  const high = of(greatest) + room * 0.04;
  const tenth = (n: number) => Math.round(n * 10) / 10;
  return {
    last,
    x: (step: number) => tenth(LEFT + (step - first) / (last - first || 1) * (WIDTH - LEFT - RIGHT)),
    y: (value: number) => tenth(TOP + (high - of(value)) / (high - low) * (HEIGHT - TOP - BOTTOM)),
    ticks: [0.1, 0.37, 0.63, 0.9].map((at) => {
      const place = low + at * (high - low);
      return log ? 10 ** place : place;
    }),
  };
}
