/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { duration } from "../../src/lib/text/format.ts";
import type { RunView } from "../run_details.ts";

/** How the run stands and what to do about it. A run that is on its way and well needs no words. */
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
                <code tabindex={0}>{command}</code>
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
      return `Stalled: no news for ${silent}. The process ${state.pid} on ${state.host} lives, but may be stuck or ` +
        "stopped. Look at its log; when it has hung, end it and run the same command again: nothing is lost.";
    }
    case "interrupted":
      return live.training
        ? "Interrupted: the command that drove this run has gone, and its trainer goes on working. Run it again to " +
          "follow the training to its end."
        : `Interrupted${where}: nothing drives this run now. Nothing is lost; it goes on from where it was.`;
    case "failed":
      return `Failed${where}. What was finished before is kept and will not be done again.`;
    case "cancelled":
      return `Cancelled${where}. Running it again starts a new run, which takes what was finished from the cache.`;
    case "done":
      return undefined;
  }
}
