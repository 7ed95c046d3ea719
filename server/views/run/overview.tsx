/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { Figure } from "../../../src/pages/parts.tsx";
import { count, figure, share } from "../../../src/lib/text/format.ts";
import type { RunState } from "../../../src/log/run_state.ts";
import { baselineText, takenBaseline } from "../../../src/view/baseline_text.ts";
import { runDuration } from "../../../src/view/elapsed.ts";
import { engineText } from "../../../src/view/engine_text.ts";
import { leakText } from "../../../src/view/leak.ts";
import { HELD_OUT_LOSS, scoresOf } from "../../../src/view/scores.ts";
import { speedText } from "../../../src/view/speed_text.ts";
import type { RunView } from "../../run_details.ts";
import { Notice } from "./notice.tsx";
import { Badge, Took } from "../parts.tsx";
import { WholeProgress } from "./progress.tsx";
import { Tags } from "../tags.tsx";
import { Ago, Since } from "../times.tsx";

/** What one wants to know first: which run it is, how it stands, what came out, what to do next. */
export function Overview({ view, now }: { view: RunView; now: number }) {
  const { state, activity } = view;
  return (
    <>
      <div class="head">
        <h1>
          {state.name} <Badge state={state.state} activity={activity} />
        </h1>
        <p class="soft">
          <span class="mono" data-copy="" data-what="run id">{view.id}</span>
        </p>
      </div>
      <Tags tags={view.tags} />
      <WholeProgress view={view} now={now} />
      <Notice view={view} now={now} />
      <div class="overview">
        <Scores state={state} />
        <Facts view={view} now={now} />
      </div>
    </>
  );
}

function Facts({ view: { state }, now }: { view: RunView; now: number }) {
  const engine = engineText(state);
  const speed = speedText(state.metrics);
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Run</h2>
      <dl class="facts">
        <Figure label="Method">{state.method}</Figure>
        <Figure label="Provider">{state.provider}</Figure>
        <Figure label={state.state === "running" ? "Running for" : "Took"}>
          {state.state === "running" && state.started !== undefined
            ? <Since iso={state.started} now={now} />
            : <Took ms={runDuration(state, now)} />}
        </Figure>
        <Figure label="Started">
          <Ago iso={state.started} now={now} />
        </Figure>
        {engine === undefined ? null : <Figure label="Job">{engine}</Figure>}
        {speed === undefined ? null : <Figure label="Training speed">{speed}</Figure>}
        <Figure label="Driven by">{state.host}, temper {state.version}</Figure>
        {state.resumes === 0
          ? null
          : <Figure label="Resumed">{state.resumes === 1 ? "once" : `${state.resumes} times`}</Figure>}
      </dl>
    </section>
  );
}

/** The result, once it is known. */
function Scores({ state }: { state: RunState }) {
  const scores = scoresOf(state.metrics);
  const bars = [["before", scores.before], ["few-shot prompting", scores.fewShot], [
    "after",
    scores.after,
  ]] as const;
  const { loss, perplexity, changes } = scores;
  const leak = leakText(state);
  const baseline = takenBaseline(state.metrics);
  const scored = bars.some(([, score]) => score !== undefined);
  if (!scored && loss.before === undefined && loss.after === undefined) return null;
  return (
    <section class="card scores" aria-labelledby="scores">
      <h2 id="scores">
        {scored ? scores.metric ?? "Score" : "Result"}
        {scores.rows === undefined ? null : <small>on {count(scores.rows)} held-out rows</small>}
      </h2>
      {leak === undefined ? null : <p class="warn">{leak}</p>}
      {scored
        ? (
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
        )
        : null}
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
      {baseline === undefined ? null : <p class="soft small">Base scored in {baselineText(baseline)}.</p>}
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
