import { join } from "../../deps/path.ts";
import { TemperError } from "../../lib/errors.ts";
import { jsonText } from "../../lib/json/json_file.ts";
import type { EngineSection, RaySection } from "../../spec/schema/schema_engine.ts";
import type { Engine, EngineEnv, EngineJob, EngineWork, Training } from "../engine.ts";
import { isRunning } from "../job_files.ts";
import { type Attempts, newest, readAttempts } from "./attempts.ts";
import { type ClusterPlace, RayCluster } from "./cluster.ts";
import { diagnose } from "./diagnose.ts";
import { RayFollower } from "./follower.ts";
import { hasEnded } from "./job_end.ts";
import { jobRequest, WORKERS_FILE, workersFile } from "./request.ts";
import { nextAttempt, type RayTraining, sendNewest } from "./send.ts";

/** Milliseconds in which a request of a runner that was killed may still arrive. */
const ARRIVE_MS = 3_000;
/** Milliseconds that a stopped job may take: its workers write a checkpoint. */
const STOP_MS = 75_000;
const LOOK_MS = 500;

/** The trainer's workers as a job of a Ray cluster, through the Jobs API of its dashboard. */
export const rayEngine: Engine = {
  async describe(given) {
    const training = rayTraining(given);
    const { run, dir, section } = training;
    const command = await training.command();
    const request = jobRequest(newest(nextAttempt(training)).id, run, dir, command);
    const workers = workersFile(section, dir, command);
    return `POST ${section.address}/api/jobs/\n${jsonText(request)}\n${join(dir, WORKERS_FILE)}\n${
      jsonText(workers)
    }`;
  },
  async find({ dir }, work) {
    const attempts = await readAttempts(dir, work.fs);
    if (!attempts) return undefined;
    const { id, sent } = newest(attempts);
    return sent || await clusterOf(attempts, work).job(id) ? jobOf(attempts) : undefined;
  },
  async submit(given, work) {
    const training = rayTraining(given);
    const attempts = await readAttempts(training.dir, work.fs) ?? nextAttempt(training);
    return jobOf(await sendNewest(attempts, training, work, clusterOf(attempts, work)));
  },
  follow: (_, training, work) => new RayFollower(rayTraining(training), work),
  cancel: (_, dir, env) => cancel(dir, env),
  diagnose: (section, env, signal) => diagnose(raySection(section), env, signal),
};

function raySection(section: EngineSection): RaySection {
  if (section.kind !== "ray") throw new TypeError(`Cannot use Ray for engine.kind ${section.kind}`);
  return section;
}

function rayTraining(training: Training): RayTraining {
  return { ...training, section: raySection(training.section) };
}

function clusterOf(place: ClusterPlace, { env, signal }: EngineWork): RayCluster {
  return new RayCluster(place, env, signal);
}

function jobOf(attempts: Attempts): EngineJob {
  return { engine: "ray", job: newest(attempts).id, address: attempts.address };
}

/**
 * Stops every job that was sent for the run and waits until none is left, nor a worker that a head took with it: a node
 * ends those within a minute.
 */
async function cancel(dir: string, env: EngineEnv): Promise<void> {
  const attempts = await readAttempts(dir, env.fs);
  if (!attempts) return;
  const cluster = new RayCluster(attempts, env.env);
  const began = env.clock.monotonic();
  const arriving = (sent: boolean) => !sent && env.clock.monotonic() - began < ARRIVE_MS;
  while (true) {
    const left = [];
    for (const { id, sent } of attempts.attempts) {
      const job = await cluster.job(id);
      if (job ? !hasEnded(job) : arriving(sent)) left.push(id);
    }
    if (left.length === 0 && !await isRunning(dir, env.fs)) return;
    if (env.clock.monotonic() - began > STOP_MS) throw goesOn(cluster, left);
    for (const id of left) await cluster.stop(id);
    await env.clock.sleep(LOOK_MS);
  }
}

function goesOn(cluster: RayCluster, left: readonly string[]): TemperError {
  const what = left.length === 0
    ? "a worker still holds the job folder's lock"
    : `job ${left.join(", ")} runs on`;
  return new TemperError("not-stopped", `Cannot stop the training on ${cluster.shown}: ${what}`, {
    hint: "Look at it with: ray job list, then cancel again",
  });
}
