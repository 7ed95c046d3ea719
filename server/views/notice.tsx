/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { duration } from "../../src/lib/text/format.ts";
import type { RunView } from "../run_details.ts";

/** The run's state and what to do about it. A healthy run needs no notice. */
export function Notice({ view, now }: { view: RunView; now: number }) {
  const { state, next } = view;
  const words = wordsOf(view, now);
  return (
    <div class={`notice ${view.live.stalled ? "stalled" : state.state}`}>
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

function wordsOf({ state, live }: RunView, now: number): string | undefined {
  const at = state.steps.find((step) => step.state === state.state)?.kind;
  const where = at === undefined ? "" : ` in ${at}`;
  switch (state.state) {
    case "running": {
      if (!live.stalled) return undefined;
      const silent = duration(now - Date.parse(live.heard ?? ""));
      return `Stalled: silent for ${silent}. Process ${state.pid} on ${state.host} is alive but may be stuck or ` +
        "suspended. Check its log; if it hangs, end it and run the same command again: nothing is lost.";
    }
    case "interrupted":
      return live.training
        ? "Interrupted: the command that drove this run has ended, and its trainer is still running. Run it again to " +
          "follow the training."
        : `Interrupted${where}: no process drives this run. Nothing is lost: running it again resumes it.`;
    case "failed":
      return `Failed${where}. Finished steps are kept and will not be repeated.`;
    case "cancelled":
      return `Cancelled${where}. Running it again starts a new run, which takes finished steps from the cache.`;
    case "done":
      return undefined;
  }
}
