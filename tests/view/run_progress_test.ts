import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { isKnown, type LogEvent, type NewEvent } from "../../src/log/events.ts";
import { readLog } from "../../src/log/read_log.ts";
import { fold, NO_RUN } from "../../src/log/run_state.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { type RunProgress, runProgress } from "../../src/view/run_progress.ts";
import { BEGINNING, DONE, recorded, training } from "../ui/recorded.ts";

const FIXTURES = join(import.meta.dirname!, "..", "fixtures");

interface Moment extends RunProgress {
  readonly at: number;
  readonly event: LogEvent;
}

/** What is said of a run after each of its events. */
function course(events: readonly LogEvent[]): Moment[] {
  let state = NO_RUN;
  return events.map((event) => {
    state = fold(state, event);
    const at = Date.parse(event.t);
    return { ...runProgress(state, at), at, event };
  });
}

/** `progress` is a real training on a busy machine whose speed was not known: it took three times what was assumed. */
async function logOf(path: string): Promise<LogEvent[]> {
  const { lines } = await readLog(denoFs, join(FIXTURES, path, "events.jsonl"));
  return lines.map(({ event }) => event).filter(isKnown);
}

function assertRises(moments: readonly Moment[], name: string): void {
  let before = 0;
  for (const { share, event } of moments) {
    assert.ok(share >= before && share <= 1, `${name}: ${before} → ${share} at event ${event.seq}`);
    before = share;
  }
}

const key = "5".repeat(64);
const SECONDS = { load: 4, baseline: 20, train: 100, evaluate: 20, export: 6 };

function progress(phase: string, more: Partial<Extract<NewEvent, { type: "step.progress" }>> = {}): NewEvent {
  return { type: "step.progress", step: "monitor", phase, ...more };
}

function counting(phase: string, total: number): NewEvent[] {
  return Array.from({ length: total }, (_, i) => progress(phase, { done: i + 1, total, unit: "rows" }));
}

/** A run in which each event takes a second, and each phase half of what was expected. */
function asExpected(measured: boolean): LogEvent[] {
  return recorded([
    ...BEGINNING,
    { type: "step.started", step: "monitor", key, attempt: 1 },
    progress("load", { expected: { seconds: SECONDS, measured } }),
    progress("load", { message: "a note" }),
    ...counting("baseline", 10),
    ...counting("train", 50),
    ...counting("evaluate", 10),
    progress("export"),
    progress("export", { message: "writing" }),
    progress("export", { message: "checking" }),
    { type: "step.done", step: "monitor", attempt: 1, outputs: [], summary: {} },
    { type: "run.done" },
  ]);
}

Deno.test("the share of a run rises from event to event and ends at 1", async () => {
  assertRises(course(asExpected(true)), "as expected");
  assertRises(course(recorded(DONE)), "without an estimate");
  const old = ["done", "cached", "resumed", "retried", "later-types"].map((name) => `runs/v1/${name}`);
  for (const name of ["progress", ...old]) {
    const moments = course(await logOf(name));
    assertRises(moments, name);
    assert.equal(moments.at(-1)?.share, 1, name);
  }
});

Deno.test("the share weighs the phases by how long they should take", () => {
  const moments = course(asExpected(true));
  const trained = moments.findLast(({ event }) => event.type === "step.progress" && event.phase === "train")!;
  // 4, 20 and 100 of 150 seconds are behind it, and the steps before the job.
  assert.ok(Math.abs(trained.share - (0.05 + 0.95 * 124 / 150)) < 0.001, String(trained.share));
});

Deno.test("the time left is near the truth once the training is measured, evaluation and export included", () => {
  for (const measured of [true, false]) {
    const moments = course(asExpected(measured));
    const end = moments.at(-1)!.at;
    const known = moments.filter(({ left }) => left !== undefined);
    const isTraining = ({ event }: Moment) => event.type === "step.progress" && event.phase === "train";
    const training = known.filter(isTraining).slice(1);
    assert.ok(training.length >= 48);
    for (const { left, at, event } of training) {
      const truth = end - at;
      assert.ok(left! > truth / 1.5 && left! < truth * 1.5, `event ${event.seq}: ${left} of ${truth}`);
    }
  }
});

Deno.test("the time left of a real training is within a factor of two from its third step on", async () => {
  const moments = course(await logOf("progress"));
  const end = moments.at(-1)!.at;
  const told = moments.filter(({ event, left }) =>
    event.type === "step.progress" && event.phase === "train" && (event.done ?? 0) >= 3 && left !== undefined
  );
  assert.ok(told.length >= 10);
  for (const { left, at, event } of told) {
    const truth = end - at;
    assert.ok(left! > truth / 2 && left! < truth * 2, `event ${event.seq}: ${left} of ${truth}`);
  }
});

Deno.test("a time left that is unknown is not told", () => {
  // Nothing was measured here, so the estimate only says how the phases compare.
  const assumed = course(asExpected(false));
  const until = assumed.findIndex(({ event }) => event.type === "step.progress" && event.phase === "train");
  assert.ok(assumed.slice(0, until + 1).every(({ left }) => left === undefined));
  assert.notEqual(assumed[until + 2]?.left, undefined);
  // Nobody said what follows the training.
  assert.ok(course(recorded(DONE)).every(({ left }) => left === undefined));
  const [before] = course(recorded(BEGINNING)).slice(-1);
  assert.equal(before?.left, undefined);
});

Deno.test("a service that only trains has its own count as share and its time left", () => {
  const moments = course(recorded([...BEGINNING, ...training(22).filter((event) => !isLoad(event))]));
  const { share, left } = moments.at(-1)!;
  assert.ok(Math.abs(share - (0.05 + 0.95 / 2)) < 0.001);
  assert.equal(left, 22_000);
});

function isLoad(event: NewEvent): boolean {
  return event.type === "step.progress" && event.phase === "load";
}

Deno.test("a silence does not shorten the time left by more than what is under way", () => {
  const events = asExpected(true).filter(({ seq }) => seq < 60);
  const state = events.reduce(fold, NO_RUN);
  const at = Date.parse(state.updated!);
  const soon = runProgress(state, at).left!;
  const late = runProgress(state, at + 3_600_000).left!;
  assert.ok(soon - late > 0 && soon - late <= 1000, `${soon} → ${late}`);
});
