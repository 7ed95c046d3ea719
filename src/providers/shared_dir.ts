import { join } from "../deps/path.ts";
import { makeOwnDir } from "../lib/files/folder.ts";
import type { Env } from "./provider.ts";

/** Folders that may contain what projects share; new content goes into the last one. */
export function sharedPlaces({ cacheDir, sharedDir = cacheDir, sharedReadOnly }: Env): readonly string[] {
  if (cacheDir === sharedDir) return [cacheDir];
  return sharedReadOnly ? [sharedDir, cacheDir] : [cacheDir, sharedDir];
}

/**
 * Folder of the converted bases. A project that has some already keeps them where they are: they would be converted
 * again elsewhere.
 */
export async function basesDir(env: Env): Promise<string> {
  const { fs, cacheDir } = env;
  return await fs.stat(join(cacheDir, "bases")) ? cacheDir : sharedPlaces(env).at(-1)!;
}

/** The same world, without a shared cache that cannot even be read. */
export async function withReadableCache<E extends Env>(env: E): Promise<E> {
  const { fs, cacheDir, sharedDir = cacheDir } = env;
  try {
    await fs.list(sharedDir);
    return env;
  } catch {
    return { ...env, sharedDir: cacheDir };
  }
}

/** The same world, with a shared cache that cannot be written marked as one to read only. */
export async function withWritableCache<E extends Env>(
  env: E,
  warn: (message: string) => void,
): Promise<E> {
  const { fs, clock, cacheDir, sharedDir = cacheDir } = env;
  if (cacheDir === sharedDir) return env;
  const probe = join(sharedDir, `.writable-${clock.randomHex(4)}`);
  try {
    await makeOwnDir(sharedDir, fs);
    await fs.writeAtomic(probe, "");
    await fs.remove(probe);
    return env;
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    warn(`Cannot write to the shared cache "${sharedDir}": ${found}. What is new goes into "${cacheDir}"`);
    return { ...await withReadableCache(env), sharedReadOnly: true };
  }
}
