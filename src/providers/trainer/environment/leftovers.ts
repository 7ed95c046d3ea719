import { join } from "../../../deps/path.ts";
import type { Env, Leftover } from "../../provider.ts";
import { sharedPlaces, withReadableCache } from "../../shared_dir.ts";

/** Half-made Python environments and half-fetched trainers, in the project's cache and in the shared one. */
export async function trainerLeftovers(env: Env): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const cache of sharedPlaces(await withReadableCache(env))) {
    found.push(...await attempts(join(cache, "python"), env));
    const trainer = join(cache, "trainer");
    const lock = join(trainer, "lock");
    for (const name of await env.fs.list(trainer)) {
      if (!name.startsWith(".") || await env.fs.isLocked(lock)) continue;
      found.push({ path: join(trainer, name), name: `trainer ${name}`, why: "partly fetched", lock });
    }
  }
  return found;
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
