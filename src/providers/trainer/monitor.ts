import { join } from "../../deps/path.ts";
import type { Ended, Follower, JobState } from "../../engines/engine.ts";
import { LOG_FILE } from "../../engines/job_files.ts";
import { engineOf } from "../../engines/registry.ts";
import { EXIT, TemperError, UsageError } from "../../lib/errors.ts";
import { duration } from "../../lib/text/format.ts";
import { tailOf } from "../../lib/files/last_lines.ts";
import type { MonitorWork, Progress } from "../provider.ts";
import { MetricsTail } from "./follow/metrics_tail.ts";
import { Silence } from "./follow/silence.ts";
import { expectedPhases } from "./estimate/expected_phases.ts";
import { engineTraining } from "./job/engine_training.ts";
import { clearCancelled, isCancelled, jobDir, METRICS_FILE } from "./job/job_folder.ts";
import { failureError } from "./job/trainer_failure.ts";
import { type Done, readResult } from "./job/trainer_files.ts";

export interface MonitorOptions {
  readonly trainerDir: string;
  /** The shortest silence, in milliseconds, after which a living trainer is called stalled. @default 120_000 */
  readonly stallMs?: number;
}

/** How often a trainer that ends without a result is restarted. */
const RESTARTS = 3;
/** Milliseconds between two looks; a change in the job folder shortens the wait. */
const LOOK_MS = 1000;

/**
 * Follows the trainer of a run to its result. One that dies is restarted from its last checkpoint.
 * Throws the trainer's error when it failed, and the signal's reason when aborted; the trainer then keeps running.
 */
export async function followTraining(work: MonitorWork, options: MonitorOptions): Promise<Done> {
  const engine = await engineOf(work.job);
  const follower = engine.follow(work.job, engineTraining(work, options.trainerDir), work);
  const watch = new Watch(work, options, follower);
  await clearCancelled(watch.dir, work.fs);
  try {
    return await watch.untilDone();
  } finally {
    watch.close();
  }
}

class Watch {
  readonly dir: string;
  readonly #tail: MetricsTail;
  readonly #unwatch: () => void;
  #silence: Silence;
  #wake: (() => void) | undefined;
  #reported: string | undefined;
  #expected: Progress["expected"];
  #started = false;
  #restarts = 0;

  constructor(
    private readonly work: MonitorWork,
    private readonly options: MonitorOptions,
    private readonly follower: Follower,
  ) {
    this.dir = jobDir(work.runDir);
    this.#tail = new MetricsTail(join(this.dir, METRICS_FILE), work.fs);
    this.#unwatch = work.fs.watch(this.dir, () => this.#wake?.());
    this.#silence = this.#patience();
    follower.onChange(() => this.#wake?.());
  }

  close(): void {
    this.#unwatch();
  }

  #patience(): Silence {
    return new Silence(this.options.stallMs ?? 120_000, this.work.clock.monotonic());
  }

  async untilDone(): Promise<Done> {
    const { fs, signal } = this.work;
    this.#expected = await expectedPhases(this.work);
    while (true) {
      signal.throwIfAborted();
      // In this order: a trainer writes its metrics before its result, and its result before it lets go of the lock.
      const state = await this.follower.state();
      const result = await readResult(this.dir, fs);
      for (const progress of await this.#tail.read()) this.#pass(progress);
      this.#report(state);
      if (result?.state === "done") return result;
      if (state.at === "ended") {
        if (result) throw failureError(result.error, state.exitCode);
        await this.#restart(state);
      }
      if (state.at === "queued") this.#silence = this.#patience();
      else await this.#warnOfStall();
      await this.#pause();
    }
  }

  /** The first word of the trainer carries how long its phases should take. */
  #pass(progress: Progress): void {
    this.work.progress({ ...progress, ...this.#expected && { expected: this.#expected } });
    this.#expected = undefined;
  }

  /** Says what the engine says whenever that is something new. */
  #report(state: JobState): void {
    const { status } = state;
    const message = state.at === "ended" ? undefined : state.message;
    const said = JSON.stringify([status, message]);
    if (status === undefined || said === this.#reported) return;
    this.#reported = said;
    const phase = state.at === "queued" ? "queued" : "started";
    this.work.progress({
      phase,
      engine: { ...status, at: state.at },
      ...message !== undefined && { message },
    });
  }

  async #restart(ended: Ended): Promise<void> {
    this.work.signal.throwIfAborted();
    if (await isCancelled(this.dir, this.work.fs)) {
      throw new TemperError("cancelled", "Cannot follow the training: it was cancelled");
    }
    if (!ended.again || this.#restarts >= RESTARTS) throw await this.#gaveUp(ended);
    if (this.#started || await this.#hasStarted()) {
      this.#restarts++;
      const what = ended.what.replace(/^t/, "T");
      const message = `${what}: restarting it (${this.#restarts} of ${RESTARTS})`;
      this.work.progress({ phase: "train", message });
    }
    this.#started = true;
    await this.follower.restart();
  }

  /** Whether a trainer has been at work in this folder, so that starting one is starting it again. */
  async #hasStarted(): Promise<boolean> {
    return await this.work.fs.stat(join(this.dir, METRICS_FILE)) !== undefined;
  }

  async #gaveUp({ what, code = "trainer-failed", hint, exitCode }: Ended): Promise<TemperError> {
    const log = join(this.dir, LOG_FILE);
    const again = this.#restarts === 0 ? "" : ` and was restarted ${this.#restarts} times`;
    const message = `Cannot finish the training: ${what}${again}${await tailOf(log, this.work.fs)}`;
    const options = { hint: hint ?? `Its full output is in "${log}"` };
    return exitCode === EXIT.usage
      ? new UsageError(code, message, options)
      : new TemperError(code, message, options);
  }

  /** Says once that a living trainer is silent, and once more after it has spoken again. */
  async #warnOfStall(): Promise<void> {
    const { fs, clock } = this.work;
    const written = (await fs.stat(join(this.dir, METRICS_FILE)))?.size ?? 0;
    const silent = this.#silence.look(written, clock.monotonic());
    if (silent === undefined) return;
    const message = `The trainer has been silent for ${
      duration(silent)
    }: it is alive, but may be stuck or suspended`;
    this.work.progress({ phase: "train", message });
  }

  async #pause(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const { clock, signal } = this.work;
    await clock.sleep(LOOK_MS, AbortSignal.any([signal, woken.signal])).catch(() => {});
    this.#wake = undefined;
    // Not more often than a person can read, however fast the trainer writes.
    if (woken.signal.aborted && !signal.aborted) await clock.sleep(200, signal).catch(() => {});
  }
}
