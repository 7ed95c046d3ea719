import { basename, dirname, join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import { filesBelow, makeFolder } from "../../../lib/files/folder.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { canonicalJson, type JsonObject } from "../../../lib/json/json.ts";
import { ENGINE_FOLDERS, isRunning, LOCK_FILE } from "../../../engines/job_files.ts";
import { engineOf } from "../../../engines/registry.ts";
import type { Env, JobRef, SubmitWork } from "../../provider.ts";
import { EVAL_FILE, TRAIN_FILE } from "./examples.ts";
import { readResult } from "./trainer_files.ts";

/** Files of a job folder that both sides know. */
export const JOB_FILE = "job.json";
export const METRICS_FILE = "metrics.jsonl";
const CANCELLED_FILE = "cancelled";
const CHECKPOINTS = "checkpoints";
const DELIVERED_FILE = "delivered";

export function jobDir(runDir: string): string {
  return join(runDir, "job");
}

/** The run that a job folder belongs to. */
export function runOf(jobDir: string): string {
  return basename(dirname(jobDir));
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

/** What an earlier run of the very same job left: a finished training, or the checkpoint of a step. */
export interface Adopted {
  readonly run: string;
  /** `undefined`: the training is finished. */
  readonly step: number | undefined;
}

/**
 * Links the training of the latest run with exactly the same job, so that it continues from there or, if only its
 * delivery failed or has changed, is not repeated. A run that already delivered the same result is not used: starting
 * it anew means training anew. Nothing that is linked is changed once written. A run whose result cannot be read, such
 * as one of a newer version, is skipped.
 */
export async function adoptTraining(
  { configured, runDir, fs, progress }: Pick<SubmitWork, "configured" | "runDir" | "fs" | "progress">,
  delivery: JsonObject,
): Promise<Adopted | undefined> {
  const runs = dirname(runDir);
  for (const run of (await fs.list(runs)).reverse()) {
    const other = jobDir(join(runs, run));
    if (join(runs, run) === runDir || !await fs.stat(join(other, JOB_FILE))) continue;
    if (!await isSameJob(configured, other, fs) || await isRunning(other, fs)) continue;
    const done = await isDone(other, fs).catch(unreadable);
    if (done instanceof TemperError) {
      const message = `Not adopting the training of run ${run}, which has the same job: ${done.message}`;
      progress({ phase: "submit", message });
      continue;
    }
    if (done && await isDelivered(other, delivery, fs)) return undefined;
    const step = done ? undefined : await newestStep(other, fs);
    if (!done && step === undefined) continue;
    for (const name of await filesBelow(other, fs)) {
      if (!isAdopted(name, done)) continue;
      const to = join(jobDir(runDir), name);
      await fs.mkdirp(dirname(to));
      await fs.remove(to);
      await fs.linkOrCopy(join(other, name), to);
    }
    return { run, step };
  }
  return undefined;
}

/** Settings and data are the same: job.json names the examples and does not hold them. */
async function isSameJob(one: string, other: string, fs: Fs): Promise<boolean> {
  const digest = async (path: string) => await fs.stat(path) ? await fs.sha256(path) : undefined;
  for (const name of [JOB_FILE, TRAIN_FILE, EVAL_FILE]) {
    if (await digest(join(one, name)) !== await digest(join(other, name))) return false;
  }
  return true;
}

/**
 * Of a finished training everything but what says who is at work on it; otherwise whole checkpoints, and what belongs
 * to them, alone. What a trainer set aside has a name with a dot in it.
 */
function isAdopted(name: string, done: boolean): boolean {
  const [folder, part = "", file] = name.split("/");
  if (done) {
    return ![JOB_FILE, LOCK_FILE, CANCELLED_FILE, DELIVERED_FILE, ...ENGINE_FOLDERS].includes(folder!);
  }
  return folder === CHECKPOINTS && (file === undefined ? !part.startsWith(".") : !part.includes("."));
}

/** Records that the delivery after the training succeeded too. `delivery`: what was requested. */
export async function markDelivered(dir: string, delivery: JsonObject, fs: Fs): Promise<void> {
  await fs.writeAtomic(join(dir, DELIVERED_FILE), canonicalJson(delivery));
}

async function isDelivered(dir: string, delivery: JsonObject, fs: Fs): Promise<boolean> {
  const path = join(dir, DELIVERED_FILE);
  return await fs.stat(path) !== undefined && await fs.readText(path) === canonicalJson(delivery);
}

async function newestStep(dir: string, fs: Fs): Promise<number | undefined> {
  const steps = (await fs.list(join(dir, CHECKPOINTS)))
    .map((name) => Number(name.match(/^step-(\d+)$/)?.[1] ?? NaN))
    .filter((step) => !Number.isNaN(step));
  return steps.length === 0 ? undefined : Math.max(...steps);
}

async function isDone(dir: string, fs: Fs): Promise<boolean> {
  return (await readResult(dir, fs))?.state === "done";
}

/** The error of a file that is there and is not what it should be; rethrows any other. */
function unreadable(cause: unknown): TemperError {
  if (cause instanceof TemperError) return cause;
  throw cause;
}

/** Ends the job of a run, wherever it runs. Returns when none of its processes is left. */
export async function cancelJob(job: JobRef, runDir: string, env: Env): Promise<void> {
  const dir = jobDir(runDir);
  if (!await env.fs.stat(dir)) return;
  await env.fs.writeAtomic(join(dir, CANCELLED_FILE), "");
  await (await engineOf(job)).cancel(job, dir, env);
}
