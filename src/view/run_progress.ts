import type { PhaseState } from "../log/phases.ts";
import { isTerminal, type RunState, type StepState } from "../log/run_state.ts";

export interface RunProgress {
  /** How much of the whole run is done, from 0 to 1. */
  readonly share: number;
  /** Milliseconds that the whole run still takes; undefined where that is unknown. */
  readonly left: number | undefined;
}

/** The phases of a training in their order, as trainer/README.md has them. */
const PHASES = ["load", "baseline", "train", "evaluate", "export"] as const;
type Phase = (typeof PHASES)[number];

/** How the phases compare where nobody said how long they should take. */
const USUAL: Readonly<Record<Phase, number>> = { load: 3, baseline: 10, train: 72, evaluate: 10, export: 5 };
/** Share of the run that all steps before the last, which follows the job, have together. */
const BEFORE_JOB = 0.05;
/** A phase that does not count is never taken for done before the next one begins. */
const MOST_UNCOUNTED = 0.95;
/** Nor is the job, whose result is still to be collected, delivered and checked. */
const MOST_FOLLOWED = 0.99;
/** Least milliseconds that a speed is measured over. */
const LEAST_MS = 1000;

/**
 * How far a run is and what it still takes. Its steps are weighed by how long they should take, evaluation and export
 * included, and by how fast they turned out to be. Pure.
 */
export function runProgress(state: RunState, now: number): RunProgress {
  if (state.state === "done") return { share: 1, left: undefined };
  // What has ended or stands still does not get further by waiting.
  const moves = state.state === "running";
  const at = moves ? now : Date.parse(state.updated ?? "");
  const last = state.steps.at(-1);
  const before = state.steps.slice(0, -1);
  if (!last) return { share: 0, left: undefined };
  const alone = before.length === 0 ? 1 : 1 - BEFORE_JOB;
  const each = before.length === 0 ? 0 : BEFORE_JOB / before.length;
  const share = before.reduce((sum, step) => sum + each * prepared(step), 0) + alone * followed(last, at);
  return { share: Math.min(1, share), left: isTerminal(state) ? undefined : timeLeft(last, now) };
}

/** ISO time at which `left` milliseconds are over. To the second: a time that moves less is the same. */
export function endTime(now: number, left: number): string {
  return new Date(Math.round((now + left) / 1000) * 1000).toISOString();
}

/** How much of a step before the job is done. How many phases it has is unknown: each has half of what is left. */
function prepared({ state, phases }: StepState): number {
  if (state === "done") return 1;
  const current = phases.at(-1);
  if (!current) return 0;
  const open = 0.5 ** (phases.length - 1);
  return 1 - open + open / 2 * (counted(current) ?? 0);
}

/** How much of the step that follows the job is done. */
function followed(step: StepState, at: number): number {
  if (step.state === "done") return 1;
  const phases = jobPhases(step);
  const current = phases.at(-1);
  // A service that trains for us has no other phase.
  if (!current) return 0;
  if (current.phase === "train" && phases.length === 1 && !step.expected) {
    return Math.min(MOST_FOLLOWED, counted(current) ?? 0);
  }
  const weights = weightsOf(step, current.phase);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return 0;
  const place = PHASES.indexOf(current.phase);
  const done = weights.slice(0, place).reduce((sum, weight) => sum + weight, 0);
  const own = weights[place] ?? 0;
  return Math.min(MOST_FOLLOWED, (done + own * (counted(current) ?? passed(current, own, at))) / total);
}

/** How the phases compare. Where nobody said what there is to do, a phase that was passed over was none. */
function weightsOf({ expected, phases }: StepState, current: Phase): number[] {
  if (expected) return PHASES.map((phase) => expected.seconds[phase] ?? 0);
  const isOver = (name: Phase) => PHASES.indexOf(name) < PHASES.indexOf(current);
  return PHASES.map((name) => isOver(name) && !phases.some(({ phase }) => phase === name) ? 0 : USUAL[name]);
}

/** The phases of the job that have begun, up to the furthest. */
function jobPhases({ phases }: StepState): (PhaseState & { readonly phase: Phase })[] {
  return PHASES.flatMap((name) => {
    const found = phases.find(({ phase }) => phase === name);
    return found ? [{ ...found, phase: name }] : [];
  });
}

function counted({ last, total }: PhaseState): number | undefined {
  return last === undefined || !total ? undefined : Math.min(1, Math.max(0, last.done / total));
}

/** How much of a phase that does not count must be over by now. */
function passed({ began }: PhaseState, seconds: number, at: number): number {
  return seconds === 0
    ? 0
    : Math.min(MOST_UNCOUNTED, Math.max(0, (at - Date.parse(began)) / (1000 * seconds)));
}

/** Milliseconds that the job still takes from its current phase on. */
function timeLeft(step: StepState, now: number): number | undefined {
  if (step.state === "done" || step.state === "retrying") return undefined;
  const begun = jobPhases(step);
  const current = begun.at(-1);
  if (!current) return undefined;
  if (!step.expected && (current.phase !== "train" || begun.length > 1)) return undefined;
  const following = step.expected ? PHASES.slice(PHASES.indexOf(current.phase) + 1) : [];
  const parts = [
    leftOf(current, expectedMs(step, current.phase), now),
    ...following.map((phase) => expectedMs(step, phase)),
  ];
  return parts.reduce((sum, part) => sum === undefined || part === undefined ? undefined : sum + part, 0);
}

/** Milliseconds that a phase which has begun still takes. */
function leftOf(phase: PhaseState, expected: number | undefined, now: number): number | undefined {
  const { began, last, total } = phase;
  const unit = unitMs(phase, LEAST_MS);
  if (unit !== undefined && last && total) {
    // One unit may be under way; a longer silence does not make the others shorter.
    const under = Math.min(unit, Math.max(0, now - Date.parse(last.t)));
    return Math.max(0, (total - last.done) * unit - under);
  }
  if (expected === undefined) return undefined;
  const done = counted(phase);
  return done === undefined
    ? Math.max(0, expected - Math.max(0, now - Date.parse(began)))
    : expected * (1 - done);
}

/** Milliseconds that the whole of a phase should take: as this run has shown it, or else as it was expected. */
function expectedMs(step: StepState, name: Phase): number | undefined {
  const { seconds, measured } = step.expected ?? {};
  const should = seconds?.[name];
  if (should === undefined) return undefined;
  const phase = (other: Phase) => step.phases.find((known) => known.phase === other);
  const ms = should * 1000;
  const baseline = phase("baseline");
  const answer = baseline && unitMs(baseline, 0);
  if (name === "evaluate" && seconds?.baseline && answer !== undefined && baseline?.total) {
    return answer * baseline.total * should / seconds.baseline;
  }
  // Loading and writing do not depend on how fast the device computes.
  if (name === "load" || name === "export") return ms;
  const train = phase("train");
  const unit = train && unitMs(train, LEAST_MS);
  if (unit !== undefined && train?.total && seconds?.train) {
    return ms * unit * train.total / (seconds.train * 1000);
  }
  return measured ? ms : undefined;
}

/** Milliseconds of one unit, measured over at least `leastMs`. */
function unitMs({ first, last }: PhaseState, leastMs: number): number | undefined {
  if (!first || !last || last.done <= first.done) return undefined;
  const took = Date.parse(last.t) - Date.parse(first.t);
  return took <= 0 || took < leastMs ? undefined : took / (last.done - first.done);
}
