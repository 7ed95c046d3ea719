import { join } from "../deps/path.ts";
import type { Clock } from "../lib/clock.ts";
import { InterruptedError, TemperError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { CANCEL_FILE } from "./run_folder.ts";

/** How often a runner looks whether another process asks it to cancel. */
const LOOK_MS = 500;
/** How long a step may take to stop after it was asked to. */
const PATIENCE_MS = 10_000;

/** How a run is told to stop, from outside. */
export interface Control {
  /** Leave: the job continues and the run can be resumed. */
  readonly interrupt: AbortSignal;
  /** Cancel: the job is stopped and the run ends. */
  readonly cancel: AbortSignal;
  /** How long a run that was interrupted while its job runs waits for `cancel`. Asked at that moment. */
  cancelWindowMs(): number;
}

/** The control of one run: the caller's, joined by the request another process leaves in the run folder. */
export class RunControl {
  readonly #requested = new AbortController();
  readonly #stopped = new AbortController();
  readonly cancel: AbortSignal;
  /** Aborts at either. */
  readonly signal: AbortSignal;

  constructor(private readonly control: Control, private readonly clock: Clock) {
    this.cancel = AbortSignal.any([control.cancel, this.#requested.signal]);
    this.signal = AbortSignal.any([control.interrupt, this.cancel]);
  }

  /** Watches for the request until `stop`. One that is already there was meant for a runner that is gone. */
  async watch(fs: Fs, runDir: string): Promise<void> {
    const path = join(runDir, CANCEL_FILE);
    await fs.remove(path);
    const look = async () => {
      while (!this.#stopped.signal.aborted) {
        await this.clock.sleep(LOOK_MS, this.#stopped.signal).catch(() => {});
        if (await fs.stat(path)) {
          return this.#requested.abort(new TemperError("cancelled", "The run was cancelled"));
        }
      }
    };
    // Without the request file there is still Ctrl-C: a run does not fail because it cannot be looked for.
    look().catch(() => {});
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** After an interruption with a job running: the time in which it can still be turned into a cancellation. */
  async window(): Promise<void> {
    const ms = this.control.cancelWindowMs();
    if (ms > 0 && !this.cancel.aborted) await this.clock.sleep(ms, this.cancel).catch(() => {});
  }

  /** The outcome of `work`, or the signal's reason when `work` does not wind down in time. */
  async withPatience<T>(work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const late = (async () => {
      await aborted(this.signal, done.signal);
      await this.clock.sleep(PATIENCE_MS, done.signal);
      throw this.signal.reason ?? new InterruptedError("The run was interrupted");
    })();
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } finally {
      done.abort();
    }
  }
}

/** Resolves when `signal` aborts; rejects when `instead` does first. */
function aborted(signal: AbortSignal, instead: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true, signal: instead });
    instead.addEventListener("abort", () => reject(instead.reason), { once: true });
  });
}
