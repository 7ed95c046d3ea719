import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { readJson } from "../lib/json/json_file.ts";
import { METRICS_FILE } from "./metrics.ts";
import { EVENTS_FILE, isDriven, seen } from "./read_run.ts";
import { foldLog } from "./fold_log.ts";
import { isTerminal, type RunState } from "./run_state.ts";
import { withTrainerWords } from "./trainer_words.ts";

const TRAINER_LOCK = join("job", "lock");
const RESULT = join("job", "result.json");
/** A trainer writes some kilobytes. */
const MOST_BYTES = 1_048_576;
const resultFile = z.object({ state: z.string() });

/** What the files of a run say about it beyond its log. */
export interface Liveness {
  /** A command drives it. */
  readonly driven: boolean;
  /** A trainer is at work in its folder, with or without a command. */
  readonly training: boolean;
  /** Its trainer has finished and left its result. */
  readonly trained: boolean;
  /** ISO time of the last word, of the log or of the trainer. */
  readonly heard: string | null;
}

/** Asked before a log is read: a runner that ends in between leaves its last event to be read. */
export async function lookAt(fs: ReadFs, dir: string, state: RunState): Promise<Liveness> {
  if (isTerminal(state)) {
    return { driven: false, training: false, trained: false, heard: state.updated ?? null };
  }
  const [driven, training, metrics] = await Promise.all([
    isDriven(fs, dir),
    fs.isLocked(join(dir, TRAINER_LOCK)),
    fs.stat(join(dir, METRICS_FILE)),
  ]);
  // Asked after its lock, which it lets go of when its result is there.
  const trained = !training && await isTrained(fs, dir);
  const heard = Math.max(Date.parse(state.updated ?? "") || 0, metrics?.mtime ?? 0);
  return { driven, training, trained, heard: heard === 0 ? null : new Date(heard).toISOString() };
}

/** A run and what its files say beyond its log. */
export interface LiveRun {
  /** As it is seen: `interrupted` without a command. */
  readonly state: RunState;
  readonly live: Liveness;
}

/** The run in a folder as it is now; `undefined` when no run was started there. */
export async function readLiveRun(fs: ReadFs, dir: string): Promise<LiveRun | undefined> {
  const driven = await isDriven(fs, dir);
  const { state } = await foldLog(fs, join(dir, EVENTS_FILE));
  if (state.seq === 0) return undefined;
  return await liveRun(fs, dir, state, { ...await lookAt(fs, dir, state), driven });
}

/** The run of a log that was read after the question whether it is driven. */
export async function liveRun(fs: ReadFs, dir: string, log: RunState, live: Liveness): Promise<LiveRun> {
  const alone = !isTerminal(log) && !live.driven && (live.training || live.trained);
  return { state: seen(alone ? await withTrainerWords(fs, dir, log) : log, live.driven), live };
}

/** A result that cannot be read is for the command to complain about that needs it. */
async function isTrained(fs: ReadFs, dir: string): Promise<boolean> {
  const path = join(dir, RESULT);
  const file = await fs.stat(path);
  if (!file?.isFile || file.size > MOST_BYTES) return false;
  const result = await readJson(path, resultFile, fs).catch(() => undefined);
  return result?.state === "done";
}
