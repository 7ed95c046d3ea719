import { join } from "../../deps/path.ts";
import { TemperError } from "../../lib/errors.ts";
import { jsonText } from "../../lib/json/json_file.ts";
import type { Engine, EngineEnv, EngineJob, EngineWork } from "../engine.ts";
import { isRunning } from "../job_files.ts";
import { type Attempts, newest, readAttempts } from "./attempts.ts";
import { RayCluster } from "./cluster.ts";
import { diagnose } from "./diagnose.ts";
import { RayFollower } from "./follower.ts";
import { hasEnded } from "./job_end.ts";
import { jobRequest, WORKERS_FILE, workersFile } from "./request.ts";
import { nextAttempt, orOpen, raySection, sendNewest } from "./send.ts";

/** Milliseconds in which a request of a runner that was killed may still arrive. */
const ARRIVE_MS = 3_000;
/** Milliseconds that a stopped job may take: its workers write a checkpoint. */
const STOP_MS = 75_000;
const LOOK_MS = 500;

/** The trainer's workers as a job of a Ray cluster, through the Jobs API of its dashboard. */
export const rayEngine: Engine = {
  async describe({ run, dir, section: given, command }) {
    const section = raySection(given);
    const trainer = await command();
    const request = jobRequest(newest(nextAttempt(run, section)).id, run, dir, trainer);
    return [
      `POST ${section.address}/api/jobs/`,
      jsonText(request),
      join(dir, WORKERS_FILE),
      jsonText(workersFile(section, dir, trainer)),
    ].join("\n");
  },
  async find({ dir }, work) {
    const attempts = await readAttempts(dir, work.fs);
    if (!attempts) return undefined;
    const { id, sent } = newest(attempts);
    return sent || await orOpen(clusterOf(attempts, work).job(id)) ? jobOf(attempts) : undefined;
  },
  async submit(training, work) {
    const { dir, run, section } = training;
    const attempts = await readAttempts(dir, work.fs) ?? nextAttempt(run, raySection(section));
    return jobOf(await sendNewest(attempts, training, work, clusterOf(attempts, work)));
  },
  follow: (_, training, work) => new RayFollower(training, work),
  cancel: (_, dir, env) => cancel(dir, env),
  diagnose: (section, env, signal) => diagnose(raySection(section), env, signal),
};

function clusterOf({ section }: Attempts, { env, signal }: EngineWork): RayCluster {
  return new RayCluster(section, env, signal);
}

function jobOf(attempts: Attempts): EngineJob {
  return { engine: "ray", job: newest(attempts).id, address: attempts.section.address };
}

/**
 * Stops every job that was sent for the run and waits until none is left, nor a worker that a head took with it: a node
 * ends those within a minute.
 */
async function cancel(dir: string, env: EngineEnv): Promise<void> {
  const attempts = await readAttempts(dir, env.fs);
  if (!attempts) return;
  const cluster = new RayCluster(attempts.section, env.env);
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
