import { join, resolve } from "../../deps/path.ts";
import { TemperError, UsageError } from "../../lib/errors.ts";
import type { Fs } from "../../lib/files/fs.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import type { SlurmSection } from "../../spec/schema/schema_engine.ts";
import type { Engine, EngineEnv, EngineJob, EngineWork, Training } from "../engine.ts";
import { ask, askPatiently, type CommandWork } from "./commands.ts";
import { diagnose } from "./diagnose.ts";
import { SlurmFollower } from "./follower.ts";
import { jobComment, jobName, type SlurmJob } from "./job_name.ts";
import { isActive, jobsNamed, parseJobs } from "./queue.ts";
import { jobScript } from "./script.ts";
import { FOLDER, readJobLines } from "./state_file.ts";

const SCRIPT_FILE = join(FOLDER, "script.sh");
/** Held by whatever sends the job, as long as it is at it: it may outlive a runner that is killed. */
const LOCK_FILE = join(FOLDER, "sending");
/** What a sender must find under the lock: the next runner removes it, so that one which comes too late sends nothing. */
const TICKET_FILE = join(FOLDER, "ticket");
const SENDER = '[ "$(cat "$1")" = "$2" ] || exit 1; exec sbatch --parsable "$3"';
const LOOK_MS = 500;
const POLL_SECONDS = 10;
/** Milliseconds that Slurm may take to end a job: the trainer's checkpoint, and Slurm's own patience. */
const CANCEL_MS = 120_000;

/** The trainer as a batch job of a Slurm cluster that shares the run's folder. */
export const slurmEngine: Engine = {
  describe: async (training, { fs }) => await scriptOf(training, fs),
  async find(training, work) {
    const name = jobName(training.run);
    const id = await findJob(training.dir, name, patient(work));
    return id === undefined ? undefined : jobOf(id, training);
  },
  submit,
  follow(job, training, work) {
    // The file may name another engine by now.
    const seconds = training.section.kind === "slurm" ? training.section.poll_seconds : POLL_SECONDS;
    return new SlurmFollower(asSlurmJob(job), training, work, seconds * 1000);
  },
  cancel,
  async diagnose(section, env, signal, folders) {
    if (section.kind !== "slurm") throw new TypeError(`Cannot look at Slurm for engine.kind ${section.kind}`);
    return await diagnose(section, env, signal, folders);
  },
};

function sectionOf({ section }: Training): SlurmSection {
  if (section.kind !== "slurm") throw new TypeError(`Cannot use Slurm for engine.kind ${section.kind}`);
  return section;
}

function asSlurmJob(job: EngineJob): SlurmJob {
  const { id, name, workers } = job;
  if (typeof id === "string" && typeof name === "string" && typeof workers === "number") {
    return job as SlurmJob;
  }
  throw new TypeError("Cannot follow a job without the id that Slurm gave it");
}

function jobOf(id: string, training: Training): SlurmJob {
  const { nodes, workers_per_node: each } = sectionOf(training);
  return { engine: "slurm", id, name: jobName(training.run), workers: nodes * each };
}

async function scriptOf(training: Training, fs: Fs): Promise<string> {
  const section = sectionOf(training);
  return jobScript({
    section,
    name: jobName(training.run),
    comment: jobComment(training.run),
    dir: training.dir,
    header: section.header === undefined
      ? undefined
      : await fs.readText(resolve(training.from, section.header)),
    command: await training.command(),
  });
}

function patient(work: EngineWork): CommandWork {
  return {
    ...work,
    onAway: (found) => work.progress({ phase: "submit", message: `${found}: trying again for two minutes` }),
  };
}

/**
 * Id of the run's job: the one whose script has begun, or the one that Slurm knows by its name. What an earlier runner
 * has started to send has been sent by then, or never will be.
 */
async function findJob(dir: string, name: string, work: CommandWork): Promise<string | undefined> {
  const { fs } = work;
  if (await fs.stat(join(dir, FOLDER))) await endSending(dir, work);
  const begun = (await readJobLines(dir, fs)).at(-1);
  return begun?.job ?? parseJobs(await askPatiently(jobsNamed(name), work)).at(-1)?.id;
}

async function endSending(dir: string, { fs, signal }: CommandWork): Promise<void> {
  while (true) {
    signal.throwIfAborted();
    const lock = await fs.lock(join(dir, LOCK_FILE), LOOK_MS);
    if (!lock) continue;
    try {
      return await fs.remove(join(dir, TICKET_FILE));
    } finally {
      lock.release();
    }
  }
}

async function submit(training: Training, work: EngineWork): Promise<SlurmJob> {
  const { fs } = work;
  const { dir } = training;
  const name = jobName(training.run);
  await fs.mkdirp(join(dir, FOLDER));
  await fs.writeAtomic(join(dir, SCRIPT_FILE), await scriptOf(training, fs));
  await work.record({ engine: "slurm", sending: name }, { phase: "submit" });
  // Not tried again blindly: a try that failed may have had its effect.
  for (let tries = 0;; tries++) {
    try {
      return jobOf(await send(dir, work), training);
    } catch (error) {
      if (error instanceof UsageError) throw await withPartitions(error, work);
      const found = await findJob(dir, name, patient(work));
      if (found !== undefined) return jobOf(found, training);
      if (!(error instanceof TemperError) || error.code !== "slurm-unreachable" || tries > 0) throw error;
    }
  }
}

/** Sends the script. The lock goes with sbatch, not with this process. */
async function send(dir: string, work: EngineWork): Promise<string> {
  const token = work.clock.randomHex(16);
  const [lock, ticket, script] = [LOCK_FILE, TICKET_FILE, SCRIPT_FILE].map((name) => join(dir, name));
  await work.fs.writeAtomic(ticket!, token);
  const { code, stdout, found } = await ask([
    "flock",
    lock!,
    "sh",
    "-c",
    SENDER,
    "sh",
    ticket!,
    token,
    script!,
  ], work);
  if (code !== 0) {
    throw new UsageError("slurm-refused", `Cannot send the job: ${found || `sbatch exited with ${code}`}`);
  }
  // "12", or "12;cluster" of several
  return stdout.trim().split("\n").at(-1)!.split(";")[0]!;
}

async function withPartitions(error: UsageError, work: EngineWork): Promise<UsageError> {
  const hint = /partition/i.test(error.message)
    ? `Partitions of this cluster: ${
      (await ask(["sinfo", "--noheader", "--format=%R"], work)).stdout.trim().split(/\s+/).join(", ")
    }`
    : "Change the engine section, or its header";
  return new UsageError(error.code, error.message, { hint, cause: error });
}

/** Ends the jobs of a run. What was never committed is looked for by its name. */
async function cancel(
  job: EngineJob & { readonly records?: readonly JsonObject[] },
  dir: string,
  env: EngineEnv,
): Promise<void> {
  const sent = job["name"] ??
    job.records?.findLast(({ sending }) => typeof sending === "string")?.["sending"];
  if (typeof sent !== "string") return;
  const { signal } = new AbortController();
  const work: CommandWork = { ...env, signal, onAway: () => {} };
  const found = await findJob(dir, sent, work);
  if (!found) return;
  const deadline = env.clock.monotonic() + CANCEL_MS;
  for (let told = false;; told = true) {
    const left = parseJobs(await askPatiently(jobsNamed(sent), work)).filter(isActive);
    if (left.length === 0) return;
    if (!told) await askPatiently(["scancel", ...left.map(({ id }) => id)], work);
    if (env.clock.monotonic() > deadline) {
      const ids = left.map(({ id }) => id).join(" ");
      throw new TemperError(
        "slurm-not-cancelled",
        `Cannot cancel Slurm job ${ids}: it is still ${left[0]!.state}`,
        {
          hint: `See scontrol show job ${ids}, then cancel again`,
        },
      );
    }
    await env.clock.sleep(LOOK_MS);
  }
}
