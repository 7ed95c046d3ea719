import { join, relative } from "../deps/path.ts";
import { LockedError } from "../lib/errors.ts";
import { existingParent, makeOwnDir } from "../lib/files/folder.ts";
import { type FileLock, type Fs, sha256 } from "../lib/files/fs.ts";
import { explainSystemError } from "../lib/system_error.ts";
import { LOCK_FILE } from "../log/read_run.ts";
import type { Env } from "../providers/provider.ts";

/**
 * Readers probe a lock for an instant, and one that was let go outlives its file for an instant in a process that is
 * just being started.
 */
const LOCK_WAIT_MS = 1_000;
/** Deciding which run to drive takes milliseconds; somebody else may be at it. */
const DECIDE_WAIT_MS = 30_000;

/** Locks a run for driving or ending it. */
export async function lockRun(fs: Fs, id: string, dir: string, waitMs = LOCK_WAIT_MS): Promise<FileLock> {
  const lock = await fs.lock(join(dir, LOCK_FILE), waitMs);
  if (lock) return lock;
  throw new LockedError(`Cannot drive run "${id}": another process is driving it`, {
    hint: `Follow it with: \`temper logs ${id} --follow\``,
  });
}

/** The folder of runs holds runs only, so this lock lies in the cache. The folder need not exist yet. */
export async function lockChoice(
  { fs, cacheDir }: Pick<Env, "fs" | "cacheDir">,
  runsDir: string,
): Promise<FileLock> {
  const locks = join(cacheDir, "locks");
  try {
    await makeOwnDir(cacheDir, fs);
    await fs.mkdirp(locks);
    const parent = await existingParent(fs, runsDir);
    const real = join(await fs.realPath(parent), relative(parent, runsDir));
    const name = sha256(real).slice(0, 16);
    const lock = await fs.lock(join(locks, `runs-${name}`), DECIDE_WAIT_MS);
    if (lock) return lock;
  } catch (error) {
    throw explainSystemError(`Cannot write to the cache folder "${cacheDir}"`, error);
  }
  throw new LockedError(
    `Cannot choose a run in "${runsDir}": another process holds the lock and does not release it`,
  );
}
