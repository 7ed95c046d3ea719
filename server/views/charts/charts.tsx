/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { counted } from "../../../src/lib/text/format.ts";
import { SERIES_COLORS } from "../../../src/pages/colors.ts";
import {
  type AllCharts,
  CHART_NAMES,
  type ChartData,
  type ChartName,
  CHARTS,
  Charts,
} from "../../../src/view/charts.ts";
import { withHeldOut } from "../../../src/view/held_out_points.ts";
import type { RunState } from "../../../src/log/run_state.ts";
import type { ChartView } from "../../chart_store.ts";
import type { Part } from "../../run_files.ts";
import { describe, TITLES } from "../../static/charts/text.js";
import { CHART_TITLES, CHART_UNITS, ChartControls, ChartFrame, Key } from "./chart_frame.tsx";
import type { Line } from "./chart_svg.tsx";

/** Charts that not every training has: they are shown once there is something in them. */
const OPTIONAL: readonly ChartName[] = ["grad_norm", "use", "temperature"];

/** How lines are drawn that are not plain ones: single steps jump, and held-out rows are few. */
const DRAWN: Readonly<Record<string, string>> = { loss: "raw", "eval_loss": "dots" };

interface ChartSectionProps {
  readonly id: string;
  readonly charts: Part<ChartView>;
  /** Those with a logarithmic scale. */
  readonly log: ReadonlySet<string>;
  readonly state: RunState;
}

export function ChartSection({ id, charts: { value, problem }, log, state }: ChartSectionProps) {
  const over = state.state !== "running" && state.state !== "interrupted";
  const empty = (value?.points ?? 0) === 0;
  if (over && problem === undefined && empty) return null;
  const charts = withHeldOut(value?.charts ?? new Charts().data(), state);
  return (
    <section aria-labelledby="training">
      <div class="section-head">
        <h2 id="training">Training</h2>
        <a href={`/runs/${encodeURIComponent(id)}/metrics.csv`} download>Download CSV</a>
      </div>
      {problem === undefined ? null : <p class="error">{problem}</p>}
      <ChartControls />
      <div class="charts" data-run={id}>
        {CHART_NAMES.map((name) => <Chart name={name} charts={charts} log={log} />)}
      </div>
      {value?.skipped
        ? <p class="warn">{counted(value.skipped, "line")} of the metrics could not be read.</p>
        : null}
    </section>
  );
}

interface ChartProps {
  readonly name: ChartName;
  readonly charts: AllCharts;
  readonly log: ReadonlySet<string>;
}

function Chart({ name, charts, log }: ChartProps) {
  const { steps, series } = charts[name];
  const title = CHART_TITLES[name];
  const unit = CHART_UNITS[name];
  const lines = linesOf(charts[name]);
  return (
    <ChartFrame
      name={name}
      title={title}
      unit={unit}
      series={Object.fromEntries(CHARTS[name].map((series) => [series, colorOf(series)]))}
      lines={lines}
      description={describe(title, steps, series, unit)}
      log={log.has(name)}
      otherScale={`${addressOf(log.symmetricDifference(new Set([name])))}#training`}
      hidden={OPTIONAL.includes(name) && lines.length === 0}
      keys={lines.length < 2
        ? null
        : lines.map((line) => <Key style={line.style}>{TITLES[line.name] ?? line.name}</Key>)}
    />
  );
}

function linesOf({ steps, series }: ChartData): Line[] {
  return Object.entries(series).map(([name, values]) => ({
    name,
    style: [colorOf(name), DRAWN[name]].join(" ").trim(),
    steps,
    values,
  }));
}

function colorOf(series: string): string {
  return `s${SERIES_COLORS[series] ?? 0}`;
}

function addressOf(log: ReadonlySet<string>): string {
  return `?${new URLSearchParams([...log].map((name) => ["log", name]))}`;
}
