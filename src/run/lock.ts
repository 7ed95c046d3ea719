import { join } from "node:path";
import { LockedError } from "../lib/errors.ts";
import type { FileLock, Fs } from "../lib/fs.ts";
import { LOCK_FILE } from "../log/liveness.ts";

/**
 * Readers probe a lock for an instant, and one that was let go outlives its file for an instant in a process that is
 * just being started.
 */
const LOCK_WAIT_MS = 1_000;

/** Locks a run for driving or ending it. */
export async function lockRun(fs: Fs, id: string, dir: string): Promise<FileLock> {
  const lock = await fs.lock(join(dir, LOCK_FILE), LOCK_WAIT_MS);
  if (lock) return lock;
  throw new LockedError(`Cannot drive run "${id}": another process drives it`, {
    hint: `Follow it with: deno task logs ${id} --follow`,
  });
}
