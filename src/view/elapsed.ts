import type { RunState, StepState } from "../log/run_state.ts";

/** Milliseconds that the step's latest attempt took, or has taken until `now`. */
export function elapsed(step: StepState, now: number): number | undefined {
  if (step.started === undefined) return undefined;
  const end = step.finished === undefined ? now : Date.parse(step.finished);
  return Math.max(0, end - Date.parse(step.started));
}

/** Milliseconds between the first event and the last. */
export function runDuration(
  state: Pick<RunState, "state" | "started" | "updated" | "finished">,
  now: number,
): number | undefined {
  if (state.started === undefined) return undefined;
  const end = state.finished ?? (state.state === "running" ? undefined : state.updated);
  return (end === undefined ? now : Date.parse(end)) - Date.parse(state.started);
}
