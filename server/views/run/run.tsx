/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { DataReport } from "../../../src/pages/data_report.ts";
import type { AnswerQuery } from "../../answers/answer_query.ts";
import type { AnswerPage } from "../../answers/answer_rows.ts";
import type { Conversation } from "../../answers/conversation.ts";
import type { ChartView } from "../../chart_store.ts";
import type { TrainerEnd } from "../../files/trainer_log.ts";
import type { RunView } from "../../run_details.ts";
import type { MadeWith, Part } from "../../run_files.ts";
import { Answers } from "./answers.tsx";
import { ChartSection } from "../charts/charts.tsx";
import { DataSection } from "./data.tsx";
import { Artifacts, Files, Logs } from "./files.tsx";
import { Layout } from "../layout.tsx";
import { Overview } from "./overview.tsx";
import { Settings } from "./settings.tsx";
import { Steps } from "./steps.tsx";

export interface RunPageProps {
  readonly view: RunView;
  readonly charts: Part<ChartView>;
  readonly answers: Part<AnswerPage>;
  readonly conversations: Part<ReadonlyMap<string, Conversation>>;
  readonly query: AnswerQuery;
  readonly report: Part<DataReport>;
  readonly pipeline: Part<string>;
  readonly made: Part<MadeWith>;
  readonly modelfile: Part<string>;
  readonly trainer: Part<TrainerEnd>;
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
          <Answers id={id} part={props.answers} conversations={props.conversations} query={props.query} />
          <Artifacts state={state} dir={view.dir} />
          <DataSection part={props.report} state={state} />
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
        <section id="logs">
          <Logs id={id} events={view.log} trainer={props.trainer} />
        </section>
      </div>
    </Layout>
  );
}
