import { join } from "../src/deps/path.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { isDriven, seen } from "../src/log/read_run.ts";
import { METRICS_FILE } from "../src/log/metrics.ts";
import { isTerminal, type RunState } from "../src/log/run_state.ts";

const TRAINER_LOCK = "job/lock";
/** Silence after which a live run counts as stalled; the runner warns after the same time. */
export const STALL_MS = 120_000;

/** A run's state beyond its log. */
export interface Liveness {
  /** A runner drives it. */
  readonly driven: boolean;
  /** A local trainer works, with or without a runner. */
  readonly training: boolean;
  /** Driven, and without a word for too long. */
  readonly stalled: boolean;
  /** ISO time of the last word. */
  readonly heard: string | null;
}

const ENDED: Liveness = { driven: false, training: false, stalled: false, heard: null };

/** Asked before a log is read: a runner that ends in between leaves its last event to be read. */
export async function lookAt(fs: ReadFs, clock: Clock, dir: string, state: RunState): Promise<Liveness> {
  if (isTerminal(state)) return { ...ENDED, heard: state.updated ?? null };
  const [driven, training, metrics] = await Promise.all([
    isDriven(fs, dir),
    fs.isLocked(join(dir, TRAINER_LOCK)),
    fs.stat(join(dir, METRICS_FILE)),
  ]);
  const heard = Math.max(Date.parse(state.updated ?? "") || 0, metrics?.mtime ?? 0);
  return {
    driven,
    training,
    stalled: driven && clock.now() - heard >= STALL_MS,
    heard: heard === 0 ? null : new Date(heard).toISOString(),
  };
}

/** The state as a person should see it. */
export function seenWith(state: RunState, { driven }: Liveness): RunState {
  return seen(state, driven);
}
