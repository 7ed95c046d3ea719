/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import type { DataReport } from "../../src/pages/data_report.ts";
import { Figure, Hash } from "../../src/pages/parts.tsx";
import { count, duration, figure, share } from "../../src/lib/text/format.ts";
import { elapsed, runDuration } from "../../src/view/elapsed.ts";
import { counter, counts as isCounted, progressText } from "../../src/view/progress_text.ts";
import { HELD_OUT_LOSS, scoresOf } from "../../src/view/scores.ts";
import { speedText } from "../../src/view/speed_text.ts";
import type { RunState, StepState } from "../../src/log/run_state.ts";
import { engineText } from "../../src/view/engine_text.ts";
import { summaryText } from "../../src/view/summary_text.ts";
import type { ChartView } from "../chart_store.ts";
import type { RunView } from "../run_details.ts";
import type { AnswerQuery } from "../answers/answer_query.ts";
import type { AnswerPage } from "../answers/answer_rows.ts";
import type { Conversation } from "../answers/conversation.ts";
import type { TrainerEnd } from "../files/trainer_log.ts";
import type { Part } from "../run_files.ts";
import { Answers } from "./answers.tsx";
import { ChartSection } from "./charts.tsx";
import { DataSection } from "./data.tsx";
import { Artifacts, Files, Logs } from "./files.tsx";
import { Layout } from "./layout.tsx";
import { Notice } from "./notice.tsx";
import { Ago, Badge, Took } from "./parts.tsx";

export interface RunPageProps {
  readonly view: RunView;
  readonly charts: Part<ChartView>;
  readonly answers: Part<AnswerPage>;
  readonly conversations: Part<ReadonlyMap<string, Conversation>>;
  readonly query: AnswerQuery;
  readonly report: Part<DataReport>;
  readonly pipeline: Part<string>;
  readonly modelfile: Part<string>;
  readonly trainer: Part<TrainerEnd>;
  readonly log: boolean;
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
      <div id="run" data-id={id} data-from={view.end} data-state={state.state}>
        <section data-live="head">
          <Head view={view} now={now} />
          <Notice view={view} now={now} />
          <Scores state={state} />
        </section>
        <section aria-labelledby="steps" data-live="steps">
          <h2 id="steps">Steps</h2>
          <ol class="steps">
            {state.steps.map((step) => <Step step={step} now={now} stalled={view.live.stalled} />)}
          </ol>
        </section>
        <ChartSection id={id} charts={props.charts} log={props.log} state={state} />
        <section data-live="results">
          <Answers id={id} part={props.answers} conversations={props.conversations} query={props.query} />
          <Artifacts state={state} dir={view.dir} />
          <DataSection part={props.report} state={state} />
        </section>
        <section data-live="files">
          <Files pipeline={props.pipeline} modelfile={props.modelfile} path={state.pipeline} />
        </section>
        <section id="logs">
          <Logs id={id} events={view.log} trainer={props.trainer} />
        </section>
      </div>
    </Layout>
  );
}

function Head({ view, now }: { view: RunView; now: number }) {
  const { state, live } = view;
  return (
    <>
      <div class="head">
        <h1>
          {state.name} <Badge state={state.state} stalled={live.stalled} />
        </h1>
        <p class="soft">
          <span class="mono" data-copy="" data-what="run id">{view.id}</span>
        </p>
      </div>
      <dl class="facts">
        <Figure label="Method">{state.method}</Figure>
        <Figure label="Provider">{state.provider}</Figure>
        <Figure label={state.state === "running" ? "Running for" : "Took"}>
          <Took ms={runDuration(state, now)} />
        </Figure>
        <Figure label="Started">
          <Ago iso={state.started} now={now} />
        </Figure>
        {engineText(state) === undefined ? null : <Figure label="Job">{engineText(state)}</Figure>}
        <Figure label="Driven by">{state.host}, temper {state.version}</Figure>
        <Speed metrics={state.metrics} />
        {state.resumes === 0
          ? null
          : <Figure label="Resumed">{state.resumes === 1 ? "once" : `${state.resumes} times`}</Figure>}
      </dl>
    </>
  );
}

function Speed({ metrics }: Pick<RunState, "metrics">) {
  const speed = speedText(metrics);
  return speed === undefined ? null : <Figure label="Training speed">{speed}</Figure>;
}

/** The result, once it is known. */
function Scores({ state }: { state: RunState }) {
  const scores = scoresOf(state.metrics);
  const bars = [["before", scores.before], ["few-shot prompting", scores.fewShot], [
    "after",
    scores.after,
  ]] as const;
  const { loss, perplexity, changes } = scores;
  const scored = bars.some(([, score]) => score !== undefined);
  if (!scored && loss.before === undefined && loss.after === undefined) return null;
  return (
    <section class="scores" aria-labelledby="scores">
      <h2 id="scores">
        {scored ? scores.metric ?? "Score" : "Result"}
        {scores.rows === undefined ? null : <small>on {count(scores.rows)} held-out rows</small>}
      </h2>
      <dl class="bars">
        {bars.map(([label, score]) =>
          score === undefined ? null : (
            <div class={label === "after" ? "after" : undefined}>
              <dt>{label}</dt>
              <dd>
                <meter min={0} max={1} value={score} aria-label={label}></meter> <b>{share(score)}</b>
              </dd>
            </div>
          )
        )}
      </dl>
      <dl class="figures">
        <Pair label={HELD_OUT_LOSS} {...loss} />
        <Pair label="perplexity" {...perplexity} />
        {changes === undefined ? null : (
          <>
            <Figure label="rows fixed">{count(changes.fixed)}</Figure>
            <Figure label="still wrong">{count(changes.stillWrong)}</Figure>
            <Figure label="newly broken">{count(changes.broken)}</Figure>
          </>
        )}
      </dl>
    </section>
  );
}

function Pair(
  { label, before, after }: { label: string; before: number | undefined; after: number | undefined },
) {
  if (before === undefined && after === undefined) return null;
  return (
    <Figure label={label}>
      {[before, after].filter((n) => n !== undefined).map(figure).join(" → ")}
    </Figure>
  );
}

function Step({ step, now, stalled }: { step: StepState; now: number; stalled: boolean }) {
  const under = step.state === "running" || step.state === "retrying";
  const ms = elapsed(
    step,
    step.finished !== undefined || under ? now : Date.parse(step.progress?.t ?? step.started ?? ""),
  );
  return (
    <li class={step.state}>
      <div class="line">
        <b>{step.kind}</b>
        <Badge state={step.state} stalled={stalled && under} />
        <span class="time">
          {step.cached ? "cached" : ms === undefined ? "" : duration(ms)}
        </span>
      </div>
      <p class="soft detail" data-progress={under ? "text" : undefined}>
        {step.state === "done" || !step.progress ? summaryText(step.summary) : progressText(step.progress)}
      </p>
      {isCounted(step.progress) && step.state !== "done"
        ? (
          <progress
            data-progress="bar"
            value={step.progress!.done}
            max={step.progress!.total}
            aria-label={counter(step.progress!) ?? step.kind}
          >
          </progress>
        )
        : null}
      {step.cached && step.from !== undefined
        ? (
          <p class="soft detail">
            made by <a href={`/runs/${encodeURIComponent(step.from)}`}>{step.from}</a>
          </p>
        )
        : null}
      {step.attempt > 1 || step.retries > 0
        ? (
          <p class="soft detail">
            attempt {step.attempt}
            {step.retries > 0 ? `, ${step.retries} retried` : ""}
          </p>
        )
        : null}
      {step.messages.map((message) => <p class="warn detail">{message}</p>)}
      {step.error && step.state !== "failed" ? <p class="warn detail">{step.error.message}</p> : null}
      {step.key === "" ? null : (
        <p class="soft key" title="What this step's output depends on">
          key <Hash value={step.key} what={`key of ${step.kind}`} />
        </p>
      )}
    </li>
  );
}
