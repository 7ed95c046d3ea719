/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { labels, logTicks, placeLabels, placeTicks, ticks } from "../../static/charts/ticks.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 240, 64, 12, 12, 24];
const [MARKS_ACROSS, MARKS_UP] = [6, 5];

export interface Line {
  readonly name: string;
  /** Style of the line: `s0`, `s1`, … and `raw`, `dots` or `pinned`. */
  readonly style: string;
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

export interface ChartSvgProps {
  readonly lines: readonly Line[];
  readonly unit: string | undefined;
  readonly log: boolean;
  readonly label: string;
}

/** Lines over steps as a picture, for who runs no script, and until the script has drawn its own. */
export function ChartSvg({ lines, unit, log, label }: ChartSvgProps) {
  const scale = scaleOf(lines, log);
  if (!scale) return <p class="soft nothing">No data yet</p>;
  const { x, y, across, up, apart } = scale;
  const [acrossTexts, upTexts] = [placeLabels("step", across), labels(up, unit, apart)];
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {up.map((value, i) => (
        <>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">{upTexts[i]}</text>
        </>
      ))}
      {across.map((step, i) => (
        <text x={x(step)} y={HEIGHT - 6} text-anchor={x(step) > WIDTH - 40 ? "end" : "middle"}>
          {acrossTexts[i]}
        </text>
      ))}
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
  const back = (n: number) => log ? 10 ** n : n;
  const tenth = (n: number) => Math.round(n * 10) / 10;
  return {
    x: (step: number) => tenth(LEFT + (step - first) / (last - first || 1) * (WIDTH - LEFT - RIGHT)),
    y: (value: number) => tenth(TOP + (high - of(value)) / (high - low) * (HEIGHT - TOP - BOTTOM)),
    across: placeTicks("step", first, last, MARKS_ACROSS),
    up: (log ? logTicks : ticks)(back(low), back(high), MARKS_UP),
    // Over many powers of ten each mark is written in its own unit.
    apart: log && greatest / least > 100,
  };
}
