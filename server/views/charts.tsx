/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { counted, figure } from "../../src/lib/text/format.ts";
import { CHART_NAMES, type ChartData, type ChartName } from "../../src/view/charts.ts";
import { scoresOf } from "../../src/view/scores.ts";
import type { RunState } from "../../src/log/run_state.ts";
import type { ChartView } from "../chart_store.ts";
import type { Part } from "../run_files.ts";
import { ChartSvg, linesOf, SERIES_STYLES, writeValue } from "./chart_svg.tsx";

export const CHART_TITLES: { readonly [C in ChartName]: string } = {
  loss: "Loss",
  "learning_rate": "Learning rate",
  "tokens_per_second": "Tokens per second",
  memory: "Memory",
};

const SERIES_TITLES: Readonly<Record<string, string>> = {
  loss: "training, each step",
  smoothed: "training, smoothed",
  "eval_loss": "held-out rows",
};

const EMPTY: ChartData = { steps: [], series: {} };

interface ChartSectionProps {
  readonly id: string;
  readonly charts: Part<ChartView>;
  readonly log: boolean;
  readonly state: RunState;
}

/** The four charts, each in a frame of its final size. Scripts put their own drawing into the frames. */
export function ChartSection({ id, charts: { value, problem }, log, state }: ChartSectionProps) {
  const over = state.state !== "running" && state.state !== "interrupted";
  if (over && problem === undefined && (value?.points ?? 0) === 0) return null;
  return (
    <section aria-labelledby="training">
      <h2 id="training">Training</h2>
      {problem === undefined ? null : <p class="error">{problem}</p>}
      <div class="charts" data-run={id}>
        {CHART_NAMES.map((name) => (
          <Chart name={name} data={withEval(name, value?.charts[name] ?? EMPTY, state)} log={log} />
        ))}
      </div>
      {value?.skipped
        ? <p class="warn">{counted(value.skipped, "line")} of the metrics could not be read.</p>
        : null}
    </section>
  );
}

function Chart({ name, data, log }: { name: ChartName; data: ChartData; log: boolean }) {
  const lines = linesOf(data);
  const title = CHART_TITLES[name];
  const isLoss = name === "loss";
  return (
    <figure
      class="chart"
      data-chart={name}
      data-scale={isLoss && log ? "log" : "linear"}
      data-styles={JSON.stringify(SERIES_STYLES)}
    >
      <figcaption>
        <h3>{title}</h3>
        {isLoss
          ? (
            <a
              class="toggle"
              href={log ? "?#training" : "?scale=log#training"}
              role="button"
              aria-pressed={log ? "true" : "false"}
            >
              log scale
            </a>
          )
          : null}
      </figcaption>
      <div
        class="plot"
        tabindex={0}
        role="group"
        aria-label={`${title}: the arrow keys move along the steps`}
      >
        <ChartSvg lines={lines} chart={name} log={isLoss && log} label={describe(title, name, data)} />
      </div>
      <p class="legend">
        {isLoss && lines.length > 1
          ? lines.map((line) => (
            <span class={line.style}>
              <i aria-hidden="true"></i>
              {SERIES_TITLES[line.name] ?? line.name}
            </span>
          ))
          : null}
        <output class="hover"></output>
      </p>
    </figure>
  );
}

/** What a chart shows, in a sentence for who does not see it. */
function describe(title: string, name: ChartName, { steps, series }: ChartData): string {
  const smoothed = name === "loss" ? series.smoothed : undefined;
  const values = (smoothed ?? Object.values(series)[0])?.filter((n) => n !== null);
  if (!values?.length) return `${title}: no data yet`;
  const write = (n: number) => writeValue(name, n);
  return `${title}${smoothed ? ", smoothed," : ""} from ${write(values[0]!)} at step ${
    figure(steps[0]!)
  } to ${write(values.at(-1)!)} at step ${figure(steps.at(-1)!)}, between ${write(Math.min(...values))} and ${
    write(Math.max(...values))
  }`;
}

/** The loss on held-out rows, where it is known before and after: two points at the ends of the training's own. */
export function withEval(name: ChartName, data: ChartData, state: RunState): ChartData {
  const { before, after } = scoresOf(state.metrics).loss;
  if (name !== "loss" || data.series.eval_loss || data.steps.length === 0) return data;
  if (before === undefined && after === undefined) return data;
  const values = data.steps.map(() => null as number | null);
  const steps = before === undefined ? data.steps : [0, ...data.steps];
  const pad = before === undefined ? [] : [null];
  const series = Object.fromEntries(Object.entries(data.series).map(([key, all]) => [key, [...pad, ...all]]));
  if (after !== undefined) values[values.length - 1] = after;
  return { steps, series: { ...series, eval_loss: before === undefined ? values : [before, ...values] } };
}
