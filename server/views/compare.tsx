/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, duration } from "../../src/lib/text/format.ts";
import { Comparison } from "../../src/pages/comparison.tsx";
import { type ComparedRun, comparisonOf, MOST_COMPARED } from "../compare_runs.ts";
import { rowDuration } from "../run_row.ts";
import { ChartSvg, type Line } from "./chart_svg.tsx";
import { Layout } from "./layout.tsx";
import { Badge, Loss } from "./parts.tsx";
import { Ago } from "./times.tsx";

export interface CompareProps {
  readonly runs: readonly ComparedRun[];
  readonly log: boolean;
  readonly path: string;
  readonly now: number;
}

/** Chosen runs beside each other: one curve and one column each. */
export function CompareView({ runs, log, path, now }: CompareProps) {
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

function Curves({ runs, log, path }: Omit<CompareProps, "now">) {
  const lines = runs.map((run, i) => lineOf(run, i));
  const other = log ? path : `${path}&scale=log`;
  return (
    <figure class="chart wide" data-chart="compare" data-scale={log ? "log" : "linear"}>
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
          <span class={`s${i}`}>
            <i aria-hidden="true"></i>
            {row.id}
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
  return { name: row.id, style: `s${i}`, steps: loss.steps, values };
}

/** What there is to say of a run before it is done. */
function Runs({ runs, now }: Pick<CompareProps, "runs" | "now">) {
  const number = (value: number | null, write: (n: number) => string) => value === null ? "–" : write(value);
  const lines: [string, (run: ComparedRun) => unknown][] = [
    ["State", ({ row }) => <Badge state={row.state} activity={row.activity} />],
    ["Method", ({ row }) => row.method],
    ["Provider", ({ row }) => row.provider],
    ["Metric", ({ row }) => row.metric ?? "–"],
    ["Loss", ({ row }) => <Loss row={row} />],
    ["Steps trained", ({ loss }) => number(loss.steps.at(-1) ?? null, count)],
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
