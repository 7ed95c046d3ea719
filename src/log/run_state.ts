import type { JsonObject } from "../lib/json/json.ts";
import type { ArtifactInfo, ErrorInfo, Expected, LogEvent, Output, UnknownEvent } from "./events.ts";
import { phasesAfter, phasesAgain, type PhaseState } from "./phases.ts";

/** `interrupted` is never in the log: it is a running state without a process (see read_run.ts). */
export type RunStatus = "running" | "interrupted" | "done" | "failed" | "cancelled";
export type StepStatus = "pending" | "running" | "retrying" | "interrupted" | "done" | "failed" | "cancelled";

export interface StepProgress {
  readonly t: string;
  readonly phase: string;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  readonly unit?: string | undefined;
  /** The latest value of each number seen in this phase. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * What is known of one step of a run.
 *
 * @example
 * ```ts
 * const took = ({ started = "", finished = "" }: StepState) => Date.parse(finished) - Date.parse(started);
 * console.log(took.length);
 * ```
 */
export interface StepState {
  readonly kind: string;
  readonly key: string;
  readonly state: StepStatus;
  /** Whether the output came from an earlier run. */
  readonly cached: boolean;
  /** The run that made the output, when it was found by key. */
  readonly from: string | undefined;
  /** How often it was started; 0 before the first time. */
  readonly attempt: number;
  /** How many attempts ended in an error that may be retried. */
  readonly retries: number;
  /** ISO times. `started` is that of the latest attempt. */
  readonly started: string | undefined;
  readonly finished: string | undefined;
  readonly progress: StepProgress | undefined;
  /** In the order they began. */
  readonly phases: readonly PhaseState[];
  /** How long the phases should take, once the attempt has said so. */
  readonly expected: Expected | undefined;
  /** ISO time of the next attempt, while it waits for it. */
  readonly retryAt: string | undefined;
  /** Messages that the step reported while it ran, each once. */
  readonly messages: readonly string[];
  /** Facts recorded by the step's attempts for those that follow. */
  readonly records: readonly JsonObject[];
  readonly outputs: readonly Output[];
  readonly summary: JsonObject | undefined;
  readonly error: ErrorInfo | undefined;
}

/**
 * All there is to know about a run, folded from its events.
 *
 * @example
 * ```ts
 * const failed = ({ steps }: RunState) => steps.find(({ state }) => state === "failed")?.error?.message;
 * console.log(failed.length);
 * ```
 */
export interface RunState {
  /** Number of the last event; 0 before the first. */
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly method: string;
  readonly provider: string;
  /** Absolute path of the pipeline file it was started from. */
  readonly pipeline: string;
  readonly planHash: string;
  /** Counts the runs of its folder; undefined in runs of earlier versions, which are older than all that have one. */
  readonly number: number | undefined;
  readonly state: RunStatus;
  /** ISO times; `updated` is that of the last event. */
  readonly started: string | undefined;
  readonly finished: string | undefined;
  readonly updated: string | undefined;
  /** Who drove it last. */
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly resumes: number;
  readonly steps: readonly StepState[];
  readonly metrics: JsonObject;
  readonly artifacts: readonly ArtifactInfo[];
  readonly error: ErrorInfo | undefined;
  /** The job that was started, in its provider's words. */
  readonly job: JsonObject | undefined;
  /** The latest that the job's engine said about it, where it runs on a cluster. */
  readonly engine: JsonObject | undefined;
  /** Bytes of unfinished lines that were cut off when the run was resumed. */
  readonly torn: number;
}

/** The latest time that a Date can hold. */
const LAST_TIME = 8.64e15;

/** The state before any event. */
export const NO_RUN: RunState = {
  seq: 0,
  id: "",
  name: "",
  method: "",
  provider: "",
  pipeline: "",
  planHash: "",
  number: undefined,
  state: "running",
  started: undefined,
  finished: undefined,
  updated: undefined,
  host: "",
  pid: 0,
  version: "",
  resumes: 0,
  steps: [],
  metrics: {},
  artifacts: [],
  error: undefined,
  job: undefined,
  engine: undefined,
  torn: 0,
};

export function isTerminal(state: RunState): boolean {
  return state.state === "done" || state.state === "failed" || state.state === "cancelled";
}

/** The state after one more event. Pure; a finished run stays as it is, unknown types change nothing. */
export function fold(state: RunState, event: LogEvent | UnknownEvent): RunState {
  if ("unknown" in event || isTerminal(state)) return { ...state, seq: event.seq };
  const next = { ...state, seq: event.seq, updated: event.t };
  switch (event.type) {
    case "run.started":
      return foldStarted(next, event);
    case "run.resumed":
      return {
        ...next,
        host: event.host,
        pid: event.pid,
        version: event.version,
        resumes: state.resumes + 1,
        torn: state.torn + event.torn,
      };
    case "run.done":
      return { ...next, state: "done", finished: event.t };
    case "run.failed":
      return { ...next, state: "failed", finished: event.t, error: event.error };
    case "run.cancelled":
      return { ...next, ...stopped(next, "cancelled"), finished: event.t };
    case "step.submitted":
      return { ...next, job: event.job };
    default:
      return foldStep(next, event);
  }
}

/** Marks the run and its current step as no longer driven. */
export function stopped(state: RunState, as: "cancelled" | "interrupted"): RunState {
  const steps = state.steps.map((step) =>
    step.state === "running" || step.state === "retrying" ? { ...step, state: as } : step
  );
  return { ...state, state: as, steps };
}

type Typed<T extends LogEvent["type"]> = Extract<LogEvent, { type: T }>;
type StepEvent = Typed<
  "step.started" | "step.skipped" | "step.progress" | "step.retrying" | "step.done" | "step.failed"
>;

function foldStarted(state: RunState, event: Typed<"run.started">): RunState {
  const { name, method, provider, pipeline, planHash, number, host, pid, version } = event;
  const steps = event.steps.map(({ kind, key }) => pending(kind, key));
  const from = { name, method, provider, pipeline, planHash, number, host, pid, version };
  return { ...state, ...from, id: event.run, started: event.t, steps };
}

function pending(kind: string, key: string): StepState {
  return {
    kind,
    key,
    state: "pending",
    cached: false,
    from: undefined,
    attempt: 0,
    retries: 0,
    started: undefined,
    finished: undefined,
    progress: undefined,
    phases: [],
    expected: undefined,
    retryAt: undefined,
    messages: [],
    records: [],
    outputs: [],
    summary: undefined,
    error: undefined,
  };
}

function foldStep(state: RunState, event: StepEvent): RunState {
  const steps = state.steps.map((step) => step.kind === event.step ? stepAfter(step, event, state.id) : step);
  const result = event.type === "step.done" || event.type === "step.skipped" ? event.result : undefined;
  const engine = event.type === "step.progress" ? event.engine : undefined;
  return {
    ...state,
    steps,
    ...engine && { engine },
    ...result && { metrics: result.metrics, artifacts: result.artifacts },
  };
}

function stepAfter(step: StepState, event: StepEvent, run: string): StepState {
  switch (event.type) {
    case "step.started":
      return {
        ...pending(step.kind, event.key),
        state: "running",
        attempt: event.attempt,
        retries: step.retries,
        started: event.t,
        messages: step.messages,
        records: step.records,
        phases: phasesAgain(step.phases, event.t),
        expected: step.expected,
      };
    case "step.skipped": {
      const { key, from, outputs, summary } = event;
      const cached = from !== run;
      return { ...step, state: "done", key, cached, from, finished: event.t, outputs, summary };
    }
    case "step.progress":
      return { ...step, ...progressAfter(step, event) };
    case "step.retrying":
      return {
        ...step,
        state: "retrying",
        retries: step.retries + 1,
        retryAt: new Date(Math.min(Date.parse(event.t) + event.delayMs, LAST_TIME)).toISOString(),
        error: event.error,
      };
    case "step.done": {
      const { outputs, summary } = event;
      return { ...step, state: "done", finished: event.t, outputs, summary, error: undefined };
    }
    case "step.failed":
      return { ...step, state: "failed", finished: event.t, error: event.error };
    default:
      return event satisfies never;
  }
}

function progressAfter(step: StepState, event: Typed<"step.progress">): Partial<StepState> {
  const { t, phase, done, total, unit, message } = event;
  const earlier = step.progress?.phase === phase ? step.progress.metrics : {};
  const metrics = event.metrics ? { ...earlier, ...event.metrics } : earlier;
  const messages = message === undefined || step.messages.includes(message)
    ? step.messages
    : [...step.messages, message];
  const records = event.record === undefined ? step.records : [...step.records, event.record];
  return {
    progress: { t, phase, done, total, unit, metrics },
    phases: phasesAfter(step.phases, event),
    expected: event.expected ?? step.expected,
    messages,
    records,
  };
}
