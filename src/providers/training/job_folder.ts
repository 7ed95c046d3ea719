import { dirname, join } from "node:path";
import { filesBelow, makeFolder } from "../../lib/folder.ts";
import type { Fs } from "../../lib/fs.ts";
import { processExists, signalGroup, signalProcess } from "../../lib/process.ts";
import type { Env, JobRef } from "../provider.ts";

/** Files of a job folder that both sides know. */
export const JOB_FILE = "job.json";
export const LOG_FILE = "trainer.log";
export const METRICS_FILE = "metrics.jsonl";
const LOCK_FILE = "lock";
const CANCELLED_FILE = "cancelled";
const CHECKPOINTS = "checkpoints";

/** Milliseconds a trainer may take from its start until it holds the lock. */
const START_MS = 3_000;
/** Milliseconds a trainer has to write a checkpoint and leave, and then to die. */
const LEAVE_MS = 20_000;
const DIE_MS = 5_000;

export function jobDir(runDir: string): string {
  return join(runDir, "job");
}

/** Whether a trainer lives in this job folder. Its lock says so, not a process number. */
export function isRunning(dir: string, fs: Fs): Promise<boolean> {
  return fs.isLocked(join(dir, LOCK_FILE));
}

/** Process number of the trainer that holds the lock. */
export async function lockHolder(dir: string, fs: Fs): Promise<number | undefined> {
  const path = join(dir, LOCK_FILE);
  const pid = await fs.stat(path) ? parseInt(await fs.readText(path), 10) : NaN;
  return pid > 1 ? pid : undefined;
}

export async function isCancelled(dir: string, fs: Fs): Promise<boolean> {
  return await fs.stat(join(dir, CANCELLED_FILE)) !== undefined;
}

/** A request to cancel that outlived the runner it was meant for is void once a new one follows the job. */
export async function clearCancelled(dir: string, fs: Fs): Promise<void> {
  await fs.remove(join(dir, CANCELLED_FILE));
}

/**
 * Links what configure left into a job folder, durably. job.json comes last: without it the folder is not complete
 * and is built again. Returns false when it was complete already.
 */
export async function buildJobFolder(configured: string, dir: string, fs: Fs): Promise<boolean> {
  if (await fs.stat(join(dir, JOB_FILE))) return false;
  await fs.remove(dir);
  await makeFolder(dir, fs);
  for (const name of await filesBelow(configured, fs)) {
    if (name === JOB_FILE) continue;
    await makeFolder(dirname(join(dir, name)), fs);
    await fs.linkOrCopy(join(configured, name), join(dir, name));
    await fs.syncFile(join(dir, name));
    await fs.syncDir(dirname(join(dir, name)));
  }
  return true;
}

export async function completeJobFolder(configured: string, dir: string, fs: Fs): Promise<void> {
  await fs.writeAtomic(join(dir, JOB_FILE), await fs.readBytes(join(configured, JOB_FILE)));
}

/**
 * Links the checkpoints that an earlier, unfinished run of the very same job left, so that training goes on from
 * there. Checkpoints are never changed once written. Returns the name of that run.
 */
export async function adoptCheckpoints(
  configured: string,
  runDir: string,
  fs: Fs,
): Promise<{ readonly run: string; readonly step: number } | undefined> {
  const runs = dirname(runDir);
  const job = await fs.readText(join(configured, JOB_FILE));
  for (const run of (await fs.list(runs)).reverse()) {
    const other = jobDir(join(runs, run));
    if (join(runs, run) === runDir || !await fs.stat(join(other, JOB_FILE))) continue;
    if (await fs.readText(join(other, JOB_FILE)) !== job || await isRunning(other, fs)) continue;
    const step = await newestStep(other, fs);
    if (step === undefined || await isDone(other, fs)) continue;
    const files = (await filesBelow(join(other, CHECKPOINTS), fs)).filter((name) => !name.startsWith("."));
    for (const name of files) {
      const to = join(jobDir(runDir), CHECKPOINTS, name);
      await fs.mkdirp(dirname(to));
      await fs.linkOrCopy(join(other, CHECKPOINTS, name), to);
    }
    return { run, step };
  }
  return undefined;
}

async function newestStep(dir: string, fs: Fs): Promise<number | undefined> {
  const steps = (await fs.list(join(dir, CHECKPOINTS)))
    .map((name) => Number(name.match(/^step-(\d+)$/)?.[1] ?? NaN))
    .filter((step) => !Number.isNaN(step));
  return steps.length === 0 ? undefined : Math.max(...steps);
}

async function isDone(dir: string, fs: Fs): Promise<boolean> {
  const path = join(dir, "result.json");
  return await fs.stat(path) !== undefined && JSON.parse(await fs.readText(path)).state === "done";
}

/**
 * Stops a job's trainer: SIGTERM, after which it writes a checkpoint, then SIGKILL. Only the holder of the lock is
 * signalled, because a process number alone may belong to somebody else by now. Returns when none lives.
 */
export async function cancelJob(job: JobRef, runDir: string, env: Env): Promise<void> {
  const { fs, clock } = env;
  const dir = jobDir(runDir);
  if (!await fs.stat(dir)) return;
  await fs.writeAtomic(join(dir, CANCELLED_FILE), "");
  const pid = typeof job["pid"] === "number" ? job["pid"] : undefined;
  await until(START_MS, async () => await isRunning(dir, fs) || pid === undefined || !processExists(pid));
  for (const [signal, patience] of [["SIGTERM", LEAVE_MS], ["SIGKILL", DIE_MS]] as const) {
    if (!await isRunning(dir, fs)) return;
    const holder = await lockHolder(dir, fs);
    if (holder !== undefined) signalGroup(holder, signal) || signalProcess(holder, signal);
    if (await until(patience, async () => !await isRunning(dir, fs))) return;
  }

  async function until(ms: number, met: () => Promise<boolean>): Promise<boolean> {
    const deadline = clock.monotonic() + ms;
    while (!await met()) {
      if (clock.monotonic() >= deadline) return false;
      await clock.sleep(50);
    }
    return true;
  }
}
