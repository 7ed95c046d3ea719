import { join } from "../deps/path.ts";
import type { Clock } from "../lib/clock.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { LogEvent, UnknownEvent } from "../log/events.ts";
import { EVENTS_FILE, isDriven } from "../log/read_run.ts";
import { LineReader, type LogLine } from "../log/read_log.ts";
import { fold, isTerminal, NO_RUN } from "../log/run_state.ts";
import { tailLog } from "../log/tail_log.ts";
import { findRun } from "./find_run.ts";
import { worldOf, type WorldOptions } from "./options.ts";

/** A trainer holds this lock of a local job; it may outlive the process that drives the run. */
const TRAINER_LOCK = join("job", "lock");
const LOOK_MS = 1000;

/**
 * How far a run is followed.
 *
 * @example
 * ```ts
 * const options: FollowOptions = { until: "ended", signal: AbortSignal.timeout(60_000) };
 * ```
 */
export interface FollowOptions extends WorldOptions {
  /**
   * How far: the events so far ("now"), until no process works on the run ("left"), or until it has "ended", even
   * when nothing drives it now. @default "left"
   */
  readonly until?: "now" | "left" | "ended";
  /** Ends it, without an error. */
  readonly signal?: AbortSignal;
}

/**
 * The events of a run, from its first, as they are written.
 *
 * @param run an id, the beginning of one, a pipeline's name (its latest run), a path, or "last"
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { followRun, isKnown } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * const id = "20261122-080000-home-lora-3fa2";
 * await Deno.mkdir(`${runsDir}/${id}`);
 * const event = { v: 1, seq: 1, t: "2026-11-22T08:00:00.123Z", type: "run.done" };
 * await Deno.writeTextFile(`${runsDir}/${id}/events.jsonl`, `${JSON.stringify(event)}\n`);
 *
 * for await (const event of followRun("last", { runsDir })) {
 *   if (isKnown(event) && event.type === "step.progress") console.log(event.step, event.metrics?.loss);
 *   else console.log(event.type);
 * }
 * await Deno.remove(runsDir, { recursive: true });
 * ```
 */
export async function* followRun(
  run: string,
  options: FollowOptions = {},
): AsyncGenerator<LogEvent | UnknownEvent, void, void> {
  const { fs, runsDir, cwd } = worldOf(options);
  const { dir } = await findRun(fs, runsDir, run, cwd);
  for await (const { event } of followLines(dir, options)) yield event;
}

/** The same as lines of the log of the run in `dir`. */
export async function* followLines(dir: string, options: FollowOptions): AsyncGenerator<LogLine, void, void> {
  const { fs, clock } = worldOf(options);
  const path = join(dir, EVENTS_FILE);
  await using end = followingEnd(dir, fs, clock, options);
  let state = NO_RUN;
  let from = 0;
  const seen = (line: LogLine) => {
    state = fold(state, line.event);
    from = line.end;
    return line;
  };
  for await (const line of linesFrom(fs, path, 0)) {
    if (options.signal?.aborted) return;
    yield seen(line);
  }
  if (end.signal.aborted || isTerminal(state)) return;
  for await (const line of tailLog(fs, path, clock, { from, signal: end.signal })) {
    yield seen(line);
    if (isTerminal(state)) return;
  }
  // Events written between the last reading of the log and the check of the lock.
  for await (const line of linesFrom(fs, path, from)) yield seen(line);
}

/** What a log has by now from byte `from` on, without keeping any of it. A missing file is an empty log. */
async function* linesFrom(fs: Fs, path: string, from: number): AsyncGenerator<LogLine, void, void> {
  const size = (await fs.stat(path))?.size ?? 0;
  if (size <= from) return;
  const reader = new LineReader(path, from);
  for await (const chunk of fs.readChunks(path, from, size)) yield* reader.push(chunk);
}

/** Aborts when following ends, by its signal or because nothing works on the run any more. Disposed when nobody follows. */
export function followingEnd(
  dir: string,
  fs: Fs,
  clock: Clock,
  { until = "left", signal }: Pick<FollowOptions, "until" | "signal">,
): AsyncDisposable & { readonly signal: AbortSignal; stop(): void } {
  const over = new AbortController();
  const all = AbortSignal.any([over.signal, ...signal ? [signal] : []]);
  if (until === "now") over.abort();
  const watching = until === "left" ? abortWhenLeft(dir, fs, clock, over, all) : Promise.resolve();
  // Whoever disposes is told of what went wrong.
  watching.catch(() => {});
  return {
    signal: all,
    stop: () => over.abort(),
    async [Symbol.asyncDispose]() {
      over.abort();
      await watching;
    },
  };
}

/** Neither a runner nor a trainer that outlives it. */
async function abortWhenLeft(dir: string, fs: Fs, clock: Clock, over: AbortController, all: AbortSignal) {
  while (!all.aborted) {
    if (!await isDriven(fs, dir) && !await fs.isLocked(join(dir, TRAINER_LOCK))) over.abort();
    await clock.sleep(LOOK_MS, all).catch(() => {});
  }
}
