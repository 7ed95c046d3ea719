/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, duration, figure } from "../../src/lib/text/format.ts";
import { Comparison } from "../../src/pages/comparison.tsx";
import { Cell, numbers, Table } from "../../src/pages/parts.tsx";
import { NOTHING } from "../../src/view/cost_text.ts";
import { type ComparedRun, comparisonOf, lineStyle, MOST_COMPARED } from "../compare_runs.ts";
import { rowDuration } from "../run_row.ts";
import { ChartSvg, type Line } from "./chart_svg.tsx";
import { Layout } from "./layout.tsx";
import { Badge, Change, Loss } from "./parts.tsx";
import { Chips } from "./tags.tsx";
import { Ago } from "./times.tsx";

export interface CompareProps {
  readonly runs: readonly ComparedRun[];
  /** How many were asked for. */
  readonly chosen: number;
  readonly log: boolean;
  readonly path: string;
  readonly now: number;
}

/** Chosen runs beside each other: one curve and one column each. */
export function CompareView({ runs, chosen, log, path, now }: CompareProps) {
  return (
    <Layout
      title="Compare · temper"
      scripts={["compare.js", "tick.js"]}
      trail={<span class="crumb" aria-current="page">compare</span>}
    >
      <div class="head">
        <h1>Compare</h1>
        <p class="soft">
          {runs.length === 0
            ? (
              <>
                Select up to {MOST_COMPARED} runs in <a href="/">the list</a>.
              </>
            )
            : (
              <>
                {chosen > MOST_COMPARED ? `${count(chosen)} runs were chosen: the first ` : ""}
                {runs.length} of up to {MOST_COMPARED} runs. <a href="/">Change the selection</a>
              </>
            )}
        </p>
      </div>
      {runs.length === 0 ? null : (
        <>
          <Curves runs={runs} log={log} path={path} />
          <Runs runs={runs} now={now} />
          <Comparison comparison={comparisonOf(runs)} />
        </>
      )}
    </Layout>
  );
}

function Curves({ runs, log, path }: Omit<CompareProps, "now" | "chosen">) {
  const lines = runs.map((run, i) => lineOf(run, i));
  const styles = Object.fromEntries(lines.map(({ name, style }) => [name, style]));
  const other = log ? path : `${path}&scale=log`;
  return (
    <figure
      class="chart wide"
      data-chart="compare"
      data-scale={log ? "log" : "linear"}
      data-styles={JSON.stringify(styles)}
    >
      <figcaption>
        <h2>Training loss</h2>
        <a class="toggle" href={other} role="button" aria-pressed={log ? "true" : "false"}>log scale</a>
      </figcaption>
      <div
        class="plot"
        tabindex={0}
        role="group"
        aria-label="Training loss: the arrow keys move along the steps"
      >
        <ChartSvg
          lines={lines.filter(({ steps }) => steps.length > 0)}
          chart="loss"
          log={log}
          label="Training loss of the selected runs"
        />
      </div>
      <p class="legend">
        {runs.map(({ row, loss, problem }, i) => (
          <span>
            <Swatch place={i} /> {row.id}
            {loss.series.smoothed ? ", smoothed" : null}
            {problem === undefined ? null : <span class="error">{problem}</span>}
          </span>
        ))}
        <output class="hover"></output>
      </p>
    </figure>
  );
}

function lineOf({ row, loss }: ComparedRun, i: number): Line {
  const values = loss.series.smoothed ?? loss.series.loss ?? [];
  return { name: row.id, style: lineStyle(i), steps: loss.steps, values };
}

/** A piece of a run's line. */
function Swatch({ place }: { place: number }) {
  return (
    <svg class="swatch" viewBox="0 0 28 6" aria-hidden="true">
      <path class={lineStyle(place)} d="M0 3H28" />
    </svg>
  );
}

/** What there is to say of a run before it is done. */
function Runs({ runs, now }: Pick<CompareProps, "runs" | "now">) {
  const metrics = [...new Set(runs.flatMap(({ row }) => row.metric ?? []))];
  // Where all have the same metric, the column is called after it.
  const one = metrics.length === 1 ? metrics[0] : undefined;
  const figures = numbers(one ?? "Score", "Loss", "Perplexity", "Steps trained", "Took");
  const columns = ["Run", "State", "Method", "Provider", ...figures, "Started"];
  return (
    <Table label="Runs" style="compared" columns={columns}>
      {runs.map((run, i) => <Run run={run} place={i} withMetric={one === undefined} now={now} />)}
    </Table>
  );
}

interface RunProps {
  readonly run: ComparedRun;
  readonly place: number;
  readonly withMetric: boolean;
  readonly now: number;
}

function Run({ run: { row, loss }, place, withMetric, now }: RunProps) {
  const ms = rowDuration(row, now);
  const steps = loss.steps.at(-1);
  return (
    <tr>
      <th scope="row">
        <Swatch place={place} /> <a href={`/runs/${encodeURIComponent(row.id)}`}>{row.name}</a>
        <span class="id">{row.id}</span>
        <Chips tags={row.tags} />
      </th>
      <td>
        <Badge state={row.state} activity={row.activity} />
      </td>
      <td>{row.method}</td>
      <td>{row.provider}</td>
      <td class="n">
        <Change before={row.before} after={row.after} />
        {withMetric ? <span class="soft">{row.metric}</span> : null}
      </td>
      <td class="n">
        <Loss row={row} />
      </td>
      <td class="n">
        <Change before={row.perplexity_before} after={row.perplexity_after} write={figure} />
      </td>
      <Cell>{steps === undefined ? NOTHING : count(steps)}</Cell>
      <Cell>{ms === undefined ? NOTHING : duration(ms)}</Cell>
      <td>
        <Ago iso={row.started} now={now} />
      </td>
    </tr>
  );
}
