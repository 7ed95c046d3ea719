import { join } from "../../deps/path.ts";
import { EXIT, TemperError, UsageError } from "../../lib/errors.ts";
import { duration } from "../../lib/text/format.ts";
import { tailOf } from "../../lib/files/last_lines.ts";
import { type DetachedProcess, type ProcessEnd, processExists } from "../../lib/process.ts";
import type { MonitorWork } from "../provider.ts";
import { clearCancelled, isCancelled, isRunning, jobDir, LOG_FILE, METRICS_FILE } from "./job/job_folder.ts";
import { MetricsTail } from "./follow/metrics_tail.ts";
import { endText, failureError, outOfMemoryHint } from "./job/trainer_failure.ts";
import { Silence } from "./follow/silence.ts";
import { startTrainer } from "./job/start.ts";
import { type Done, readResult } from "./job/trainer_files.ts";

export interface MonitorOptions {
  readonly trainerDir: string;
  /** The shortest silence, in milliseconds, after which a living trainer is called stalled. @default 120_000 */
  readonly stallMs?: number;
}

/** How often a trainer that ends without a result is restarted. */
const RESTARTS = 3;
const LESS_MEMORY = "lower train.micro_tokens, or close other programs";
/** Milliseconds between two looks; a change in the job folder shortens the wait. */
const LOOK_MS = 1000;
/** Milliseconds a process may take from its start until it holds the lock. */
const START_MS = 15_000;

/**
 * Follows the trainer of a run to its result. One that dies is restarted from its last checkpoint.
 * Throws the trainer's error when it failed, and the signal's reason when aborted; the trainer then keeps running.
 */
export async function followTraining(work: MonitorWork, options: MonitorOptions): Promise<Done> {
  const watch = new Watch(work, options);
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
  readonly #began: number;
  #wake: (() => void) | undefined;
  #own: DetachedProcess | undefined;
  #end: ProcessEnd | undefined;
  #restarts = 0;
  readonly #silence: Silence;

  constructor(private readonly work: MonitorWork, private readonly options: MonitorOptions) {
    this.dir = jobDir(work.runDir);
    this.#tail = new MetricsTail(join(this.dir, METRICS_FILE), work.fs);
    this.#unwatch = work.fs.watch(this.dir, () => this.#wake?.());
    this.#began = work.clock.monotonic();
    this.#silence = new Silence(options.stallMs ?? 120_000, this.#began);
  }

  close(): void {
    this.#unwatch();
  }

  async untilDone(): Promise<Done> {
    const { fs, signal } = this.work;
    while (true) {
      signal.throwIfAborted();
      // In this order: a trainer writes its metrics before its result, and its result before it lets go of the lock.
      const alive = await this.#isAlive();
      const result = await readResult(this.dir, fs);
      for (const progress of await this.#tail.read()) this.work.progress(progress);
      if (result?.state === "done") return result;
      if (!alive) {
        if (result) throw failureError(result.error, this.#end?.code === EXIT.usage);
        await this.#restart();
      }
      await this.#warnOfStall();
      await this.#pause();
    }
  }

  /** Holding the lock, or just started and about to take it. */
  async #isAlive(): Promise<boolean> {
    if (await isRunning(this.dir, this.work.fs)) return true;
    if (this.#own) return this.#end === undefined;
    const { pid } = this.work.job;
    const young = this.work.clock.monotonic() - this.#began < START_MS;
    return young && typeof pid === "number" && processExists(pid);
  }

  async #restart(): Promise<void> {
    this.work.signal.throwIfAborted();
    if (await isCancelled(this.dir, this.work.fs)) {
      throw new TemperError("cancelled", "Cannot follow the training: it was cancelled");
    }
    // Another trainer held the lock and has gone since: that one's end counts, and it is not known.
    const end = this.#end?.code === EXIT.locked ? undefined : this.#end;
    const how = end ? endText(end) : "disappeared";
    if (end?.code === EXIT.usage || this.#restarts >= RESTARTS) throw await this.#gaveUp(how, end);
    if (this.#own || await this.#hasStarted()) {
      this.#restarts++;
      const message = `The trainer ${how} without a result: restarting it (${this.#restarts} of ${RESTARTS})`;
      this.work.progress({ phase: "train", message });
    }
    this.#end = undefined;
    const own = this.#own = await startTrainer(this.work, this.options.trainerDir);
    own.ended.then((ended) => {
      this.#end = ended;
      this.#wake?.();
    }, () => {});
  }

  /** Whether a trainer has been at work in this folder, so that starting one is starting it again. */
  async #hasStarted(): Promise<boolean> {
    return await this.work.fs.stat(join(this.dir, METRICS_FILE)) !== undefined;
  }

  async #gaveUp(how: string, end: ProcessEnd | undefined): Promise<TemperError> {
    const log = join(this.dir, LOG_FILE);
    const again = this.#restarts === 0 ? "" : ` and was restarted ${this.#restarts} times`;
    const message = `Cannot finish the training: the trainer ${how} without a result${again}${await tailOf(
      log,
      this.work.fs,
    )}`;
    const hint = (end && outOfMemoryHint(end, LESS_MEMORY)) ?? `Its full output is in "${log}"`;
    return end?.code === EXIT.usage
      ? new UsageError("trainer-failed", message, { hint })
      : new TemperError("trainer-failed", message, { hint });
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
