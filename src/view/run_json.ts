import type { RunState } from "../log/run_state.ts";
import type { Activity } from "./activity.ts";
import { leakOf } from "./leak.ts";

/** Fixed outside: members may be added, none renamed. */
export function runJson(state: RunState, activity: Activity) {
  const leaked = leakOf(state);
  const { id, name, method, provider, metrics, artifacts, started, finished, error, job, engine } = state;
  return {
    id,
    name,
    state: state.state,
    activity,
    steps: state.steps.map(({ kind, state, key, cached, from, attempt, summary, error }) => ({
      kind,
      state,
      key,
      cached,
      from: from ?? null,
      attempt,
      summary: summary ?? null,
      error: error ?? null,
    })),
    method,
    provider,
    metrics,
    ...leaked && { leaked },
    artifacts,
    started,
    finished: finished ?? null,
    pipeline: state.pipeline,
    job: job ?? null,
    engine: engine ?? null,
    error: error ?? null,
  };
}
