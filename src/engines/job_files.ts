import { join } from "../deps/path.ts";
import type { Fs } from "../lib/files/fs.ts";

/** Files of a job folder that engines know too (trainer/README.md). */
export const LOG_FILE = "trainer.log";
export const LOCK_FILE = "lock";
export const RESULT_FILE = "result.json";
/** What engines keep there about a job of their own. */
export const ENGINE_FOLDERS = ["slurm", "ray"];

/** Whether a trainer is running in this job folder: decided by its lock, not by a process number. */
export function isRunning(dir: string, fs: Fs): Promise<boolean> {
  return fs.isLocked(join(dir, LOCK_FILE));
}

/** Process number of the trainer that holds the lock. */
export async function lockHolder(dir: string, fs: Fs): Promise<number | undefined> {
  const path = join(dir, LOCK_FILE);
  const pid = await fs.stat(path) ? parseInt(await fs.readText(path), 10) : NaN;
  return pid > 1 ? pid : undefined;
}
