/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { SeriesName } from "../../../src/log/metrics.ts";
import { CHART_NAMES, CHARTS } from "../../../src/view/charts.ts";
import { type ComparedRun, lineStyle } from "../../compare_runs.ts";
import { describe } from "../../static/charts/text.js";
import { CHART_UNITS, ChartControls, ChartFrame } from "./chart_frame.tsx";
import type { Line } from "./chart_svg.tsx";

/** A chart for each series, because a chart of several runs has a line for each of them. */
const TITLES: { readonly [S in Exclude<SeriesName, "smoothed">]: string } = {
  loss: "Training loss",
  "eval_loss": "Held-out loss",
  "grad_norm": "Gradient norm",
  "learning_rate": "Learning rate",
  "tokens_per_second": "Tokens per second",
  rss: "Memory of the process",
  "gpu_memory": "GPU memory",
  cpu: "CPU use",
  gpu: "GPU use",
  "cpu_temperature": "CPU temperature",
  "gpu_temperature": "GPU temperature",
};
export const COMPARED_SERIES = Object.keys(TITLES) as (keyof typeof TITLES)[];

export interface CompareChartsProps {
  readonly runs: readonly ComparedRun[];
  /** The run that the others are compared with. */
  readonly baseline: string | undefined;
  readonly log: ReadonlySet<string>;
}

/** Each chart with the curves of all chosen runs. */
export function CompareCharts({ runs, baseline, log }: CompareChartsProps) {
  return (
    <section aria-labelledby="training">
      <h2 id="training">Training</h2>
      <Runs runs={runs} baseline={baseline} log={log} />
      <ChartControls />
      <div class="charts">
        {COMPARED_SERIES.map((series) => <Chart series={series} runs={runs} baseline={baseline} log={log} />)}
      </div>
    </section>
  );
}

/** The colours of the runs, and which of them is the baseline. */
function Runs({ runs, baseline, log }: CompareChartsProps) {
  const labels = labelsOf(runs);
  return (
    <ul class="chosen-runs" aria-label="Runs in the charts">
      {runs.map(({ row: { id, name }, problem }, i) => {
        const isBaseline = id === baseline;
        return (
          <li
            class={isBaseline ? "pinned" : undefined}
            data-run={id}
            data-label={labels[i]}
            data-style={lineStyle(i)}
            data-pinned={isBaseline}
          >
            <Swatch place={i} />
            <a href={`/runs/${encodeURIComponent(id)}`}>{name}</a>
            <span class="soft mono">{id}</span>
            {isBaseline
              ? <strong>baseline</strong>
              : <a class="toggle" href={addressOf(runs, id, log)}>make baseline</a>}
            <a href={`/runs/${encodeURIComponent(id)}/metrics.csv`} download aria-label={`CSV of ${id}`}>
              CSV
            </a>
            {problem === undefined ? null : <span class="error">{problem}</span>}
          </li>
        );
      })}
    </ul>
  );
}

/** A piece of a run's line. */
export function Swatch({ place }: { place: number }) {
  return (
    <svg class="swatch" viewBox="0 0 28 6" aria-hidden="true">
      <path class={lineStyle(place)} d="M0 3H28" />
    </svg>
  );
}

/** Names as short as tells the runs apart: their own, with the end of the id, or the whole id. */
function labelsOf(runs: readonly Pick<ComparedRun, "row">[]): string[] {
  const ids = runs.map(({ row }) => row.id);
  const forms = [
    runs.map(({ row }) => row.name),
    runs.map(({ row }) => `${row.name} ${row.id.split("-").at(-1)}`),
  ];
  return forms.find((labels) => new Set(labels).size === labels.length) ?? ids;
}

type ChartProps = CompareChartsProps & { readonly series: keyof typeof TITLES };

function Chart({ series, runs, baseline, log }: ChartProps) {
  const chart = CHART_NAMES.find((name) => (CHARTS[name] as readonly string[]).includes(series))!;
  const lines = runs.flatMap((run, i) =>
    lineOf(run, chart, series, `${lineStyle(i)}${pinned(run, baseline)}`) ?? []
  );
  const title = TITLES[series];
  const unit = CHART_UNITS[chart];
  return (
    <ChartFrame
      name={series}
      title={title}
      unit={unit}
      series={{ [series]: chart }}
      lines={lines}
      description={lines.map((line) => {
        const label = line.name === baseline ? `${line.name} (baseline)` : line.name;
        return describe(label, line.steps, { [series]: line.values }, unit);
      }).join(". ")}
      log={log.has(series)}
      otherScale={addressOf(runs, baseline, log.symmetricDifference(new Set([series])))}
      hidden={lines.length === 0}
    />
  );
}

function pinned({ row }: ComparedRun, baseline: string | undefined): string {
  return row.id === baseline ? " pinned" : "";
}

/** Undefined for a run without that series. */
function lineOf(
  { row, charts }: ComparedRun,
  chart: (typeof CHART_NAMES)[number],
  series: SeriesName,
  style: string,
): Line | undefined {
  const { steps, series: all } = charts[chart];
  const values = series === "loss" ? all.smoothed ?? all.loss : all[series];
  return values && { name: row.id, style: series === "eval_loss" ? `${style} dots` : style, steps, values };
}

function addressOf(
  runs: readonly ComparedRun[],
  baseline: string | undefined,
  log: ReadonlySet<string>,
): string {
  const words = [
    ...runs.map(({ row }) => ["run", row.id]),
    ...baseline === undefined ? [] : [["baseline", baseline]],
    ...[...log].map((name) => ["log", name]),
  ];
  return `/compare?${new URLSearchParams(words)}#training`;
}
