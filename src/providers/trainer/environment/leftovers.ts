import { basename, join } from "../../../deps/path.ts";
import type { Env, Leftover } from "../../provider.ts";
import { sharedPlaces, withReadableCache } from "../../shared_dir.ts";

/** Half-made Python environments, half-fetched trainers and half-written scores of bases, in the project's cache and in the shared one. */
export async function trainerLeftovers(env: Env): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const cache of sharedPlaces(await withReadableCache(env))) {
    found.push(...await attempts(join(cache, "python"), env));
    found.push(...await hidden(join(cache, "trainer"), "partly fetched", env));
    found.push(...await hidden(join(cache, "baselines"), "partly written", env));
  }
  return found;
}

/** What has a hidden name while it is made, under the lock of its folder. */
async function hidden(folder: string, why: string, { fs }: Env): Promise<Leftover[]> {
  const lock = join(folder, "lock");
  const names = (await fs.list(folder)).filter((name) => name.startsWith("."));
  if (names.length === 0 || await fs.isLocked(lock)) return [];
  return names.map((name) => ({ path: join(folder, name), name: `${basename(folder)} ${name}`, why, lock }));
}

async function attempts(python: string, { fs }: Env): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const digest of await fs.list(python)) {
    const folder = join(python, digest);
    const lock = join(folder, "lock");
    if (!(await fs.stat(folder))?.isDirectory || await fs.isLocked(lock)) continue;
    const note = join(folder, "current");
    const current = await fs.stat(note) ? (await fs.readText(note)).trim() : "";
    for (const name of await fs.list(folder)) {
      if (!name.startsWith("attempt-") || current !== "" && name.startsWith(current)) continue;
      found.push({ path: join(folder, name), name: `python ${name}`, why: "partly installed", lock });
    }
  }
  return found;
}
