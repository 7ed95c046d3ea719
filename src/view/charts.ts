import { Decimator, type Row } from "./decimate.ts";
import type { MetricPoint, SeriesName } from "../log/metrics.ts";

/** The charts of a training and the series in each. */
export const CHARTS = {
  loss: ["loss", "smoothed", "eval_loss"],
  "learning_rate": ["learning_rate"],
  "tokens_per_second": ["tokens_per_second"],
  memory: ["rss"],
} as const satisfies Readonly<Record<string, readonly SeriesName[]>>;
export type ChartName = keyof typeof CHARTS;
export const CHART_NAMES = Object.keys(CHARTS) as ChartName[];

/** A chart as it is drawn: the steps, and for each series a value at every step or null. */
export interface ChartData {
  readonly steps: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Most points of one chart: more than a screen has columns. */
export const MOST_POINTS = 2000;

/** The charts of one training, fed with its points as they come. Its memory has a bound. */
export class Charts {
  readonly #charts = CHART_NAMES.map((name) => ({
    name,
    series: CHARTS[name] as readonly SeriesName[],
    points: new Decimator(CHARTS[name].length, MOST_POINTS),
  }));
  #points = 0;

  /** Points seen so far. */
  get points(): number {
    return this.#points;
  }

  push(point: MetricPoint): void {
    this.#points++;
    for (const { series, points } of this.#charts) {
      const values = valuesOf(point, series);
      if (values) points.push({ x: point.step, values });
    }
  }

  data(): Record<ChartName, ChartData> {
    return Object.fromEntries(
      this.#charts.map(({ name, series, points }) => [name, chartData(series, points.rows())]),
    ) as Record<ChartName, ChartData>;
  }
}

/** Undefined when the point has none of these. A loop, because a million points go through here. */
function valuesOf(point: MetricPoint, names: readonly SeriesName[]): (number | null)[] | undefined {
  const values: (number | null)[] = [];
  let some = false;
  for (const name of names) {
    const value = point[name] ?? null;
    some ||= value !== null;
    values.push(value);
  }
  return some ? values : undefined;
}

/** The same chart with at most `most` points, and no peak lost. */
export function thinned(chart: ChartData, most: number): ChartData {
  if (chart.steps.length <= most) return chart;
  const names = Object.keys(chart.series);
  const points = new Decimator(names.length, most);
  for (const [i, x] of chart.steps.entries()) {
    points.push({ x, values: names.map((name) => chart.series[name]![i] ?? null) });
  }
  const rows = points.rows();
  const series = names.map((name, i) => [name, rows.map(({ values }) => values[i] ?? null)] as const);
  return { steps: rows.map(({ x }) => x), series: Object.fromEntries(series) };
}

function chartData(names: readonly SeriesName[], rows: readonly Row[]): ChartData {
  const series = names.flatMap((name, i) => {
    const values = rows.map((row) => row.values[i] ?? null);
    return values.some((value) => value !== null) ? [[name, values] as const] : [];
  });
  return { steps: rows.map(({ x }) => x), series: Object.fromEntries(series) };
}
