/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, duration, figure } from "../../src/lib/text/format.ts";
import { Comparison } from "../../src/pages/comparison.tsx";
import { Cell, numbers, Table } from "../../src/pages/parts.tsx";
import { NOTHING } from "../../src/view/cost_text.ts";
import { type ComparedRun, comparisonOf, MOST_COMPARED } from "../compare_runs.ts";
import { rowDuration } from "../run_row.ts";
import { CompareCharts, Swatch } from "./charts/compare_charts.tsx";
import { Layout } from "./layout.tsx";
import { Badge, Change, Loss } from "./parts.tsx";
import { Chips } from "./tags.tsx";
import { Ago } from "./times.tsx";

export interface CompareProps {
  readonly runs: readonly ComparedRun[];
  /** How many were asked for. */
  readonly chosen: number;
  /** The run that the others are compared with in the charts. */
  readonly baseline: string | undefined;
  /** Charts with a logarithmic scale. */
  readonly log: ReadonlySet<string>;
  readonly now: number;
}

/** Chosen runs beside each other: their curves, and a row for each. */
export function CompareView({ runs, chosen, baseline, log, now }: CompareProps) {
  return (
    <Layout
      title="Compare · temper"
      scripts={["compare.js", "tick.js"]}
      trail={<span class="crumb" aria-current="page">compare</span>}
    >
      <div class="head" data-now={new Date(now).toISOString()}>
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
          <CompareCharts runs={runs} baseline={baseline} log={log} />
          <Runs runs={runs} now={now} />
          <Comparison comparison={comparisonOf(runs)} />
        </>
      )}
    </Layout>
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

function Run({ run: { row, charts }, place, withMetric, now }: RunProps) {
  const ms = rowDuration(row, now);
  const steps = charts.loss.steps.at(-1);
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
