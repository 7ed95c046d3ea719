// deno-lint-ignore-file camelcase -- names of the API
import { runDuration } from "../src/view/elapsed.ts";
import { progressText, type TrainingLoss } from "../src/view/progress_text.ts";
import { numberOf, objectOf, scoresOf } from "../src/view/scores.ts";
import { type Activity, currentStep, moves } from "../src/view/activity.ts";
import { endTime, runProgress } from "../src/view/run_progress.ts";
import type { RunTags } from "../src/log/run_tags.ts";
import type { RunState, RunStatus } from "../src/log/run_state.ts";

/** `unreadable`: there is a log, and it cannot be read. */
export type RowStatus = RunStatus | "unreadable";

/** A run in the list: little enough to keep ten thousand of them. */
export interface RunRow {
  readonly id: string;
  /** Counts the runs of the folder; runs of earlier versions have none. */
  readonly number: number | null;
  readonly name: string;
  readonly state: RowStatus;
  /** What is going on, finer than the state; null where that cannot be told. */
  readonly activity: Activity | null;
  /** It is alive, and says nothing any more. */
  readonly stalled: boolean;
  readonly method: string;
  readonly provider: string;
  /** Absolute path of its pipeline file, which the combinations of a matrix share. */
  readonly pipeline: string;
  readonly tags: readonly string[];
  readonly note: string | null;
  /** The step it is in, or stopped in. */
  readonly step: string | null;
  /** What that step says about itself. */
  readonly progress: string | null;
  /** Share of the whole run that is done, its steps weighed by how long they should take. */
  readonly share: number;
  /** ISO time at which it should be done; null where that is unknown. */
  readonly ends: string | null;
  /** The newest loss of the training, and whether it is a mean over its steps so far. */
  readonly loss: number | null;
  readonly smoothed: boolean;
  /** The loss on held-out rows: the last word on a run's loss. */
  readonly loss_before: number | null;
  readonly loss_after: number | null;
  /** On held-out rows. */
  readonly perplexity_before: number | null;
  readonly perplexity_after: number | null;
  readonly metric: string | null;
  readonly before: number | null;
  readonly after: number | null;
  /** Trainable parameters, tokens a second and peak memory in bytes, once they are known. */
  readonly trainable: number | null;
  readonly speed: number | null;
  readonly memory: number | null;
  /** ISO times. */
  readonly started: string | null;
  readonly updated: string | null;
  readonly finished: string | null;
  /** Why it failed, or why it cannot be read. */
  readonly error: string | null;
}

/** The row of a state as a person should see it. `loss`: the newest one its events have told. */
export function rowOf(
  id: string,
  state: RunState,
  more: { readonly loss: TrainingLoss | undefined; readonly activity: Activity; readonly now: number },
): RunRow {
  const { share, left } = runProgress(state, more.now);
  const scores = scoresOf(state.metrics);
  const current = currentStep(state);
  return {
    id,
    number: state.number ?? null,
    name: state.name,
    state: state.state,
    activity: more.activity,
    stalled: more.activity === "stalled",
    method: state.method,
    provider: state.provider,
    pipeline: state.pipeline,
    tags: [],
    note: null,
    step: current?.kind ?? null,
    progress: current?.progress ? progressText(current.progress) : null,
    share,
    ends: left === undefined || !moves(more.activity) ? null : endTime(more.now, left),
    loss: more.loss?.value ?? null,
    smoothed: more.loss?.smoothed ?? false,
    loss_before: scores.loss.before ?? null,
    loss_after: scores.loss.after ?? null,
    perplexity_before: scores.perplexity.before ?? null,
    perplexity_after: scores.perplexity.after ?? null,
    metric: scores.metric ?? null,
    before: scores.before ?? null,
    after: scores.after ?? null,
    trainable: numberOf(objectOf(state.metrics.parameters).trainable) ?? null,
    speed: numberOf(state.metrics.tokens_per_second) ?? null,
    memory: numberOf(state.metrics.peak_rss) ?? null,
    started: state.started ?? null,
    updated: state.updated ?? null,
    finished: state.finished ?? null,
    error: state.error?.message ?? null,
  };
}

export function unreadableRow(id: string, error: string): RunRow {
  return {
    id,
    number: null,
    name: id,
    state: "unreadable",
    activity: null,
    stalled: false,
    method: "",
    provider: "",
    pipeline: "",
    tags: [],
    note: null,
    step: null,
    progress: null,
    share: 0,
    ends: null,
    loss: null,
    smoothed: false,
    loss_before: null,
    loss_after: null,
    perplexity_before: null,
    perplexity_after: null,
    metric: null,
    before: null,
    after: null,
    trainable: null,
    speed: null,
    memory: null,
    started: null,
    updated: null,
    finished: null,
    error,
  };
}

/** Milliseconds that the run took, or has taken until `now`. */
export function rowDuration({ started, updated, finished, state }: RunRow, now: number): number | undefined {
  return runDuration({
    state: state === "unreadable" ? "failed" : state,
    started: started ?? undefined,
    updated: updated ?? undefined,
    finished: finished ?? undefined,
  }, now);
}

/** The row of a run as people have tagged it; the same object where nothing is different. */
export function taggedRow(row: RunRow, { tags, note: written }: RunTags): RunRow {
  const note = written ?? null;
  const same = row.note === note && row.tags.length === tags.length &&
    row.tags.every((tag, i) => tag === tags[i]);
  return same ? row : { ...row, tags, note };
}
