/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, duration } from "../../src/lib/text/format.ts";
import { Comparison } from "../../src/pages/comparison.tsx";
import { type ComparedRun, comparisonOf, MOST_COMPARED } from "../compare_runs.ts";
import { rowDuration } from "../run_row.ts";
import { CompareCharts } from "./compare_charts.tsx";
import { Layout } from "./layout.tsx";
import { Ago, Badge, Loss } from "./parts.tsx";

export interface CompareProps {
  readonly runs: readonly ComparedRun[];
  /** The run that the others are compared with in the charts. */
  readonly baseline: string | undefined;
  /** Charts with a logarithmic scale. */
  readonly log: ReadonlySet<string>;
  readonly now: number;
}

/** Chosen runs beside each other: their curves, and a column for each. */
export function CompareView({ runs, baseline, log, now }: CompareProps) {
  return (
    <Layout
      title="Compare · temper"
      scripts={["compare.js"]}
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
  const number = (value: number | null, write: (n: number) => string) => value === null ? "–" : write(value);
  const lines: [string, (run: ComparedRun) => unknown][] = [
    ["State", ({ row }) => <Badge state={row.state} stalled={row.stalled} />],
    ["Method", ({ row }) => row.method],
    ["Provider", ({ row }) => row.provider],
    ["Metric", ({ row }) => row.metric ?? "–"],
    ["Loss", ({ row }) => <Loss row={row} />],
    ["Steps trained", ({ charts }) => number(charts.loss.steps.at(-1) ?? null, count)],
    ["Took", ({ row }) => {
      const ms = rowDuration(row, now);
      return ms === undefined ? "–" : duration(ms);
    }],
    ["Started", ({ row }) => <Ago iso={row.started} now={now} />],
  ];
  return (
    <div class="scroll" tabindex={0} role="group" aria-label="Runs">
      <table class="compared">
        <thead>
          <tr>
            <td></td>
            {runs.map(({ row }, i) => (
              <th scope="col" class="n">
                <a href={`/runs/${encodeURIComponent(row.id)}`}>
                  <span class={`swatch s${i}`}>
                    <i aria-hidden="true"></i>
                  </span>
                  {row.name}
                </a>
                <span class="id">{row.id}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(([title, cell]) => (
            <tr>
              <th scope="row">{title}</th>
              {runs.map((run) => <td class="n">{cell(run)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
