import type { LogEvent } from "./events.ts";

/** How far something had been counted at a time. */
export interface Count {
  /** ISO time. */
  readonly t: string;
  readonly done: number;
}

/**
 * What is known of one phase of a step: when it began and how fast it counts.
 *
 * @example
 * ```ts
 * const counted = ({ last, total }: PhaseState) => last && total ? last.done / total : 0;
 * console.log(counted.length);
 * ```
 */
export interface PhaseState {
  readonly phase: string;
  /** ISO time. */
  readonly began: string;
  readonly total: number | undefined;
  /** The first and the last count: its speed lies between them. A count that went back begins anew. */
  readonly first: Count | undefined;
  readonly last: Count | undefined;
}

/** The phases as a new attempt finds them, which goes on where the last one was: how far they are, and no speed. */
export function phasesAgain(phases: readonly PhaseState[], t: string): readonly PhaseState[] {
  return phases.map((phase) => ({ ...phase, began: t, first: undefined }));
}

/** The phases of a step, in the order they began, after one more progress event. A mere sentence begins none. */
export function phasesAfter(
  phases: readonly PhaseState[],
  { t, phase, done, total, message }: Extract<LogEvent, { type: "step.progress" }>,
): readonly PhaseState[] {
  const at = phases.findIndex((known) => known.phase === phase);
  const known = phases[at] ?? { phase, began: t, total: undefined, first: undefined, last: undefined };
  if (done === undefined) return at >= 0 || message !== undefined ? phases : [...phases, known];
  const last = { t, done };
  const goesOn = known.first !== undefined && known.last !== undefined && known.total === total &&
    known.last.done <= done;
  const next = { ...known, total, first: goesOn ? known.first : last, last };
  return at < 0 ? [...phases, next] : phases.with(at, next);
}
