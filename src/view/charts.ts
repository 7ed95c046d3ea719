import { Decimator, type Row } from "./decimate.ts";
import { type ColumnName, COLUMNS, type MetricPoint, type SeriesName } from "../log/metrics.ts";

/** The charts of a training and the series in each. */
export const CHARTS = {
  loss: ["loss", "smoothed", "eval_loss"],
  "grad_norm": ["grad_norm"],
  "learning_rate": ["learning_rate"],
  "tokens_per_second": ["tokens_per_second"],
  memory: ["rss", "gpu_memory"],
  use: ["cpu", "gpu"],
  temperature: ["cpu_temperature", "gpu_temperature"],
} as const satisfies Readonly<Record<string, readonly SeriesName[]>>;
export type ChartName = keyof typeof CHARTS;
export const CHART_NAMES = Object.keys(CHARTS) as ChartName[];

type Values = readonly (number | null)[];

/** A chart as it is drawn: the steps, and for each series a value at every step or null. */
export interface ChartData {
  readonly steps: readonly number[];
  /** What the x axis may show instead of the step, as far as it is known: a value at every step or null. */
  readonly x: { readonly [name in ColumnName]?: Values };
  readonly series: Readonly<Record<string, Values>>;
}
export type AllCharts = Readonly<Record<ChartName, ChartData>>;

/** Most points of one chart, with one before the first step: more than a screen has columns. */
export const MOST_POINTS = 2000;

/** The charts of one training, fed with its points as they come. Its memory has a bound. */
export class Charts {
  readonly #charts = CHART_NAMES.map((name) => ({
    name,
    series: CHARTS[name] as readonly SeriesName[],
    points: new Decimator(CHARTS[name].length, MOST_POINTS - 1),
  }));
  #points = 0;

  /** Points seen so far. */
  get points(): number {
    return this.#points;
  }

  push(point: MetricPoint): void {
    this.#points++;
    const at = [point.tokens ?? null, point.epoch ?? null, point.time ?? null];
    for (const { series, points } of this.#charts) {
      const values = valuesOf(point, series);
      if (values) points.push({ x: point.step, at, values });
    }
  }

  data(): AllCharts {
    return Object.fromEntries(
      this.#charts.map(({ name, series, points }) => [name, chartData(series, points.rows())]),
    ) as AllCharts;
  }
}

/** Undefined when the point has none of these. Loops, because a million points go through here. */
function valuesOf(point: MetricPoint, names: readonly SeriesName[]): (number | null)[] | undefined {
  for (const name of names) {
    if (point[name] !== undefined) return names.map((name) => point[name] ?? null);
  }
  return undefined;
}

/** The same charts with at most `most` points each, and no peak lost. */
export function thinned(charts: AllCharts, most: number): AllCharts {
  return Object.fromEntries(
    Object.entries(charts).map((
      [name, chart],
    ) => [name, chart.steps.length <= most ? chart : fewer(chart, most)]),
  ) as AllCharts;
}

function fewer(chart: ChartData, most: number): ChartData {
  const names = Object.keys(chart.series) as SeriesName[];
  const points = new Decimator(names.length, most);
  for (const [i, x] of chart.steps.entries()) {
    const at = COLUMNS.map((column) => chart.x[column]?.[i] ?? null);
    points.push({ x, at, values: names.map((name) => chart.series[name]![i] ?? null) });
  }
  return chartData(names, points.rows());
}

function chartData(names: readonly SeriesName[], rows: readonly Row[]): ChartData {
  return {
    steps: rows.map(({ x }) => x),
    x: filled(COLUMNS, rows.map(({ at }) => at ?? [])),
    series: filled(names, rows.map(({ values }) => values)),
  };
}

/** The columns of a table that have a value anywhere, by name. */
function filled(names: readonly string[], rows: readonly Values[]): Record<string, Values> {
  const columns = names.flatMap((name, i) => {
    const values = rows.map((row) => row[i] ?? null);
    return values.some((value) => value !== null) ? [[name, values] as const] : [];
  });
  return Object.fromEntries(columns);
}
