import { join } from "../deps/path.ts";
import { LockedError, TemperError } from "../lib/errors.ts";
import type { FileLock } from "../lib/files/fs.ts";
import { LogWriter } from "../log/log_writer.ts";
import { EVENTS_FILE, LOCK_FILE } from "../log/read_run.ts";
import { readLog } from "../log/read_log.ts";
import { isTerminal, type RunState } from "../log/run_state.ts";
import type { Env, JobRef } from "../providers/provider.ts";
import { CANCEL_FILE } from "./run_folder.ts";
import { refuseOtherHost } from "./recover.ts";

/** How long a runner may take to stop its job after it was asked. */
const PATIENCE_MS = 90_000;
const LOOK_MS = 500;

export interface CancelOptions {
  readonly env: Env;
  /** Absolute folder of the run. */
  readonly dir: string;
  readonly host: string;
  /** Cancel although another host drove the run last. */
  readonly takeover?: boolean;
  /** Stops a job. Returns when it no longer runs. */
  cancelJob(job: JobRef, runDir: string): Promise<void>;
  readonly signal: AbortSignal;
  /** Told when the run is driven by another process, which was asked to cancel it. */
  onAsked?(): void;
}

/**
 * Cancels a run, whether somebody drives it or not. The process that drives it is asked through a file in the run
 * folder, never by its process number, which may be somebody else's by now; with no such process, the job is stopped
 * from here. Returns the state the run ended in, which may be `done` when it was faster.
 */
export async function cancelRun(options: CancelOptions): Promise<RunState> {
  const { env, dir, signal, onAsked } = options;
  const { fs, clock } = env;
  const { state } = await readLog(fs, join(dir, EVENTS_FILE));
  if (isTerminal(state)) return state;
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (let asked = false; clock.monotonic() < deadline; asked = true) {
    const lock = await fs.lock(join(dir, LOCK_FILE));
    if (lock) return await endRun(options, lock);
    if (!asked) onAsked?.();
    // Written again each time: a runner that starts meanwhile removes what was meant for the one before it.
    await fs.writeAtomic(join(dir, CANCEL_FILE), "");
    await clock.sleep(LOOK_MS, signal);
  }
  throw new LockedError(`Cannot cancel run "${state.id}": the process driving it does not respond`, {
    hint: `End process ${state.pid} on host "${state.host}", then cancel again`,
  });
}

async function endRun(
  { env, dir, host, takeover, cancelJob }: CancelOptions,
  lock: FileLock,
): Promise<RunState> {
  const { fs, clock } = env;
  let log: LogWriter | undefined;
  try {
    log = await LogWriter.open(fs, dir, clock);
    if (isTerminal(log.state)) return log.state;
    if (log.state.seq === 0) {
      throw new TemperError("not-started", `Cannot cancel the run in "${dir}": it was never started`);
    }
    refuseOtherHost(log.state, host, takeover ?? false);
    await cancelJob(jobToCancel(log.state), dir);
    await log.decide({ type: "run.cancelled" });
    return log.state;
  } finally {
    try {
      await log?.close();
      await fs.remove(join(dir, CANCEL_FILE));
    } finally {
      lock.release();
    }
  }
}

/** The committed job, or what was written down about one that may have been started and was never committed. */
export function jobToCancel({ job, provider, steps }: RunState): JobRef {
  if (job) return job as JobRef;
  return { provider, records: steps.find(({ kind }) => kind === "submit")?.records ?? [] };
}
