/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { DataReport } from "../../src/pages/data_report.ts";
import { Dataset } from "../../src/pages/dataset.tsx";
import type { ChartView } from "../chart_store.ts";
import type { RunView } from "../run_details.ts";
import type { MadeWith, Part, PredictionPage, PredictionQuery } from "../run_files.ts";
import { Answers } from "./answers.tsx";
import { ChartSection } from "./charts.tsx";
import { Artifacts, Files, Logs } from "./files.tsx";
import { Layout } from "./layout.tsx";
import { Overview } from "./overview.tsx";
import { Settings } from "./settings.tsx";
import { Steps } from "./steps.tsx";

export interface RunPageProps {
  readonly view: RunView;
  readonly charts: Part<ChartView>;
  readonly predictions: Part<PredictionPage>;
  readonly predictionQuery: PredictionQuery;
  readonly report: Part<DataReport>;
  readonly pipeline: Part<string>;
  readonly made: Part<MadeWith>;
  readonly modelfile: Part<string>;
  readonly trainer: Part<readonly string[]>;
  /** Charts with a logarithmic scale. */
  readonly log: ReadonlySet<string>;
  readonly now: number;
}

export function RunPage(props: RunPageProps) {
  const { view, now } = props;
  const { state, id } = view;
  return (
    <Layout
      title={`${state.name} ${state.state} · temper`}
      scripts={["run.js"]}
      trail={<span class="crumb" aria-current="page">{id}</span>}
    >
      <nav class="sections" id="sections" aria-label="Sections"></nav>
      <div
        id="run"
        data-id={id}
        data-from={view.end}
        data-state={state.state}
        data-activity={view.activity}
        data-now={new Date(now).toISOString()}
      >
        <section data-live="head">
          <Overview view={view} now={now} />
        </section>
        <section aria-labelledby="steps" data-live="steps">
          <Steps steps={state.steps} now={now} activity={view.activity} />
        </section>
        <ChartSection id={id} charts={props.charts} log={props.log} state={state} />
        <section data-live="results">
          <Answers id={id} part={props.predictions} query={props.predictionQuery} state={state} />
          <Artifacts state={state} />
          <DatasetSection part={props.report} />
        </section>
        <section data-live="settings">
          <Settings made={props.made} />
        </section>
        <section data-live="files">
          <Files
            pipeline={props.pipeline}
            effective={props.made.value?.effective}
            modelfile={props.modelfile}
            path={state.pipeline}
          />
        </section>
        <section data-live="logs">
          <Logs events={view.log} trainer={props.trainer} />
        </section>
      </div>
    </Layout>
  );
}

/** The dataset report: the same as in report.html. */
function DatasetSection({ part: { value, problem } }: { part: Part<DataReport> }) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (!value) return null;
  return (
    <section aria-labelledby="data">
      <h2 id="data">Data</h2>
      <Dataset report={value} level={3} />
    </section>
  );
}
