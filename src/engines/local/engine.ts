import { join } from "../../deps/path.ts";
import { EXIT, TemperError } from "../../lib/errors.ts";
import {
  type DetachedProcess,
  endText,
  outOfMemoryHint,
  type ProcessEnd,
  processExists,
  signalGroup,
  signalProcess,
  startDetached,
} from "../../lib/process.ts";
import type {
  Ended,
  Engine,
  EngineEnv,
  EngineJob,
  EngineWork,
  Follower,
  JobState,
  TrainerCommand,
  Training,
} from "../engine.ts";
import { isRunning, lockHolder, LOG_FILE } from "../job_files.ts";

/** Milliseconds a process may take from its start until it holds the lock. */
const START_MS = 15_000;
/** The same for one that is to be cancelled. */
const CANCEL_START_MS = 3_000;
/** Milliseconds a trainer has to write a checkpoint and leave, and then to die. */
const LEAVE_MS = 20_000;
const DIE_MS = 5_000;
const LESS_MEMORY = "lower train.micro_tokens, or close other programs";

/** The trainer as a process of this machine. It outlives this process. */
export const localEngine: Engine = {
  describe: () => Promise.resolve(undefined),
  async find({ dir }, { fs }) {
    if (!await isRunning(dir, fs)) return undefined;
    const pid = await lockHolder(dir, fs);
    return pid === undefined ? {} : { pid };
  },
  submit: async (training) => ({ pid: (await start(training)).pid }),
  follow: (job, training, work) => new ProcessFollower(job, training, work),
  cancel,
};

/** A second trainer is harmless: the lock in the job folder turns it away. */
async function start({ dir, command, section }: Training): Promise<DetachedProcess> {
  const { program, args, env } = workersOf(await command(), section.workers_per_node);
  try {
    return await startDetached({ command: program, args, env, cwd: dir, log: join(dir, LOG_FILE) });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TemperError("trainer-failed", `Cannot start the trainer with "${program}": ${found}`, {
      cause,
    });
  }
}

/** The command that starts so many workers, which share the processors. */
function workersOf(command: TrainerCommand, workers: number): TrainerCommand {
  if (workers === 1) return command;
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / workers));
  return {
    program: command.program,
    args: ["-m", "torch.distributed.run", "--standalone", `--nproc-per-node=${workers}`, ...command.args],
    // Without it, torchrun gives each worker one thread; the trainer takes no more than its share of the cores
    env: { OMP_NUM_THREADS: String(threads), ...command.env },
  };
}

class ProcessFollower implements Follower {
  readonly #began: number;
  #own: DetachedProcess | undefined;
  #end: ProcessEnd | undefined;
  #wake: (() => void) | undefined;

  constructor(
    private readonly job: EngineJob,
    private readonly training: Training,
    private readonly work: EngineWork,
  ) {
    this.#began = work.clock.monotonic();
  }

  onChange(wake: () => void): void {
    this.#wake = wake;
  }

  async state(): Promise<JobState> {
    return await this.#isAlive() ? { at: "running" } : ended(this.#end);
  }

  /** Holding the lock, or just started and about to take it. */
  async #isAlive(): Promise<boolean> {
    if (await isRunning(this.training.dir, this.work.fs)) return true;
    if (this.#own) return this.#end === undefined;
    const { pid } = this.job;
    const young = this.work.clock.monotonic() - this.#began < START_MS;
    return young && typeof pid === "number" && processExists(pid);
  }

  async restart(): Promise<void> {
    this.#end = undefined;
    const own = this.#own = await start(this.training);
    own.ended.then((end) => {
      this.#end = end;
      this.#wake?.();
    }, () => {});
  }
}

function ended(end: ProcessEnd | undefined): Ended {
  // Another trainer held the lock and has gone since: that one's end counts, and it is not known.
  const known = end?.code === EXIT.locked ? undefined : end;
  const how = known ? endText(known) : "disappeared";
  const hint = known && outOfMemoryHint(known, LESS_MEMORY);
  return {
    at: "ended",
    what: `the trainer ${how} without a result`,
    ...hint !== undefined && { hint },
    ...typeof known?.code === "number" && { exitCode: known.code },
    again: known?.code !== EXIT.usage,
  };
}

/**
 * SIGTERM, after which the trainer writes a checkpoint, then SIGKILL. Only the holder of the lock is signalled, because
 * a process number alone may belong to somebody else by now.
 */
async function cancel(job: EngineJob, dir: string, { fs, clock }: EngineEnv): Promise<void> {
  const { pid } = job;
  const started = typeof pid === "number" ? pid : undefined;
  await until(
    CANCEL_START_MS,
    async () => await isRunning(dir, fs) || started === undefined || !processExists(started),
  );
  for (const [signal, patience] of [["SIGTERM", LEAVE_MS], ["SIGKILL", DIE_MS]] as const) {
    if (!await isRunning(dir, fs)) return;
    const holder = await lockHolder(dir, fs);
    if (holder !== undefined) signalGroup(holder, signal) || signalProcess(holder, signal);
    if (await until(patience, async () => !await isRunning(dir, fs))) break;
  }
  // One that started several workers leaves after them
  if (started !== undefined) await until(LEAVE_MS, () => Promise.resolve(!processExists(started)));

  async function until(ms: number, met: () => Promise<boolean>): Promise<boolean> {
    const deadline = clock.monotonic() + ms;
    while (!await met()) {
      if (clock.monotonic() >= deadline) return false;
      await clock.sleep(50);
    }
    return true;
  }
}
