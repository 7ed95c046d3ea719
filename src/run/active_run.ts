import type { Plan, PlannedStep } from "../plan/plan.ts";
import type { Env } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Step, StepKind } from "../steps/step.ts";
import type { LogEvent, NewEvent } from "../log/events.ts";
import type { LogWriter } from "../log/log_writer.ts";
import type { RunState, StepState } from "../log/run_state.ts";
import type { RunControl } from "./run_control.ts";

/** A run that this process holds the lock of. */
export interface ActiveRun {
  readonly id: string;
  readonly dir: string;
  readonly loaded: LoadedSpec;
  readonly steps: readonly Step[];
  readonly plan: Plan<StepKind>;
  readonly env: Env;
  readonly log: LogWriter;
  readonly control: RunControl;
  onEvent(event: LogEvent, state: RunState): void;
}

/** One step of a run: what it is, what it was planned to be, where its output goes. */
export interface ActiveStep {
  readonly step: Step;
  readonly planned: PlannedStep<StepKind>;
  readonly dir: string;
}

/** Makes a decision durable and tells whoever watches. */
export async function decide(run: ActiveRun, event: NewEvent): Promise<void> {
  run.onEvent(await run.log.decide(event), run.log.state);
}

/** Writes down progress, which may be lost. */
export function note(run: ActiveRun, event: NewEvent): void {
  run.onEvent(run.log.note(event), run.log.state);
}

/** What the log knows of a step. */
export function stateOf(run: ActiveRun, kind: StepKind): StepState {
  const state = run.log.state.steps.find((step) => step.kind === kind);
  if (!state) throw new RangeError(`Cannot find step "${kind}" in run "${run.id}"`);
  return state;
}
