/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { type Activity, activityText, currentStep } from "../../../src/view/activity.ts";
import type { RunView } from "../../run_details.ts";
import { Left, Since } from "../times.tsx";

/** The run's state and what to do about it. A healthy run needs no notice. */
export function Notice({ view, now }: { view: RunView; now: number }) {
  const { state, next } = view;
  const words = wordsOf(view, now);
  return (
    <div class={`notice ${view.activity}`}>
      {words === undefined ? null : <p>{words}</p>}
      {state.error
        ? (
          <pre
            class="terminal"
            tabindex={0}
            aria-label="Error"
          ><span class="error">{state.error.message}</span>{state.error.hint === undefined ? "" : `\n${state.error.hint}`}</pre>
        )
        : null}
      {next.length === 0 ? null : (
        <dl class="next">
          {next.map(({ why, command }) => (
            <div>
              <dt>{why}</dt>
              <dd>
                <code tabindex={0} data-copy="" data-what="command">{command}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** What is wrong with a run that a command drives, or what it waits for. Times tick. */
function Running({ view: { state, live, activity }, now }: { view: RunView; now: number }) {
  const step = currentStep(state);
  if (activity === "stalled") {
    return (
      <>
        Stalled: silent for <Since iso={live.heard ?? ""} now={now} />. Process {state.pid} on {state.host}
        {" "}
        is alive but may be stuck or suspended. Check its log; if it hangs, end it and run the same command
        again: nothing is lost.
      </>
    );
  }
  if (activity === "waiting" && step?.retryAt !== undefined) {
    return (
      <>
        Waiting to retry {step.kind}, <Left ends={step.retryAt} now={now} />: {step.error?.message}
      </>
    );
  }
  const said = activityText(activity, state, live, now);
  return said === undefined ? null : <>{sentence(said)}</>;
}

/** What there is to do about a run that no command drives. */
const ALONE: { readonly [activity in Activity]?: string } = {
  unattended: "Run it again to follow it to its end; nothing is trained twice.",
  stalled: "Check the trainer's log; running it again follows the training.",
  trained: "Run it again to collect the result; nothing is trained twice.",
};

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}

function wordsOf(view: RunView, now: number) {
  const { state, live, activity } = view;
  const at = state.steps.find((step) => step.state === state.state)?.kind;
  const where = at === undefined ? "" : ` in ${at}`;
  switch (state.state) {
    case "running":
      // A healthy run needs no words.
      return activity === "running" ? undefined : <Running view={view} now={now} />;
    case "interrupted":
      return activity !== "interrupted"
        ? `${sentence(activityText(activity, state, live, now) ?? "")} ${ALONE[activity] ?? ""}`
        : `Interrupted${where}: no process drives this run. Nothing is lost: resume it to go on.`;
    case "failed":
      return `Failed${where}. Finished steps are kept and will not be repeated.`;
    case "cancelled":
      return `Cancelled${where}. Running it again starts a new run, which takes finished steps from the cache.`;
    case "done":
      return undefined;
  }
}
