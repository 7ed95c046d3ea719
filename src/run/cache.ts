import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import { makeFolder } from "../lib/files/folder.ts";
import { digestOf, rememberDigest, stampOf } from "../lib/files/digest_memo.ts";
import { TemperError } from "../lib/errors.ts";
import type { FileLock, Fs } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { findJson, writeJson } from "../lib/json/json_file.ts";
import { jsonObject, type Output, outputSchema, type ResultInfo, resultSchema } from "../log/events.ts";
import type { Env } from "../providers/provider.ts";
import { linkOutputs, missing, replaceDir } from "./outputs.ts";

/** Folder of the stored outputs below the cache. */
export const STORE = "steps";
/** Begins the name of what is not a whole entry: being stored, or being removed. */
export const UNFINISHED = ".new-";
/** In an entry, beside its outputs: what they are of. */
export const MANIFEST = "manifest.json";
const OUT = "out";
/** Below this a digest is computed faster than a memo of it is looked up. */
const MEMO_BYTES = 1_048_576;

/** manifest.json: written last into an entry. `parts` are kept so that a key can be explained. */
const manifest = z.object({
  version: z.literal(1),
  key: z.string(),
  step: z.string(),
  parts: jsonObject,
  /** The run that made the outputs. */
  run: z.string(),
  outputs: z.array(outputSchema).readonly(),
  summary: jsonObject,
  result: resultSchema.optional(),
}).readonly();

/** Stored outputs of a step, checked. */
export interface CacheHit {
  readonly hit: true;
  /** Folder of the outputs. */
  readonly dir: string;
  readonly run: string;
  readonly outputs: readonly Output[];
  readonly summary: JsonObject;
  readonly result: ResultInfo | undefined;
  /** The stamps large outputs had before they were checked, by path. */
  readonly stamps: ReadonlyMap<string, string | undefined>;
}

/** `damaged` says what is wrong with an entry that exists; without it there is none. */
export interface CacheMiss {
  readonly hit: false;
  readonly damaged?: string;
}

export interface NewEntry {
  readonly key: string;
  readonly step: string;
  readonly parts: JsonObject;
  readonly run: string;
  readonly outputs: readonly Output[];
  readonly summary: JsonObject;
  readonly result?: ResultInfo | undefined;
}

/** The part of the world the cache needs. */
export type CacheEnv = Pick<Env, "fs" | "clock" | "cacheDir">;

/** Looks a key up. A hit has every output present with its digest. Writes nothing. */
export async function findCached(env: CacheEnv, key: string): Promise<CacheHit | CacheMiss> {
  const entry = join(env.cacheDir, STORE, key);
  if (!await env.fs.stat(entry)) return { hit: false };
  const found = await readManifest(env, entry, key);
  if (typeof found === "string") return { hit: false, damaged: found };
  const dir = join(entry, OUT);
  const stamps = new Map<string, string | undefined>();
  const damaged = await missing(env.fs, dir, found.outputs) ??
    await changed(env, dir, found.outputs, stamps);
  if (damaged !== undefined) return { hit: false, damaged };
  const { run, outputs, summary, result } = found;
  return { hit: true, dir, run, outputs, summary, result, stamps };
}

/** Keeps the outputs in `dir` under their key, in place of a damaged entry. Readers see all of it or nothing. */
export async function storeCached(env: CacheEnv, entry: NewEntry, dir: string): Promise<void> {
  const { fs, cacheDir } = env;
  const steps = join(cacheDir, STORE);
  await makeFolder(steps, fs);
  const lock = await lockStore(fs, steps);
  try {
    // Another run may have stored the same meanwhile, and a third may be linking it.
    if ((await findCached(env, entry.key)).hit) return;
    // While the lock is held, these can only be leftovers of killed processes.
    for (const name of await fs.list(steps)) {
      if (name.startsWith(UNFINISHED)) await fs.remove(join(steps, name));
    }
    const temporary = join(steps, UNFINISHED + entry.key);
    await linkOutputs(fs, dir, join(temporary, OUT), entry.outputs);
    await writeJson(join(temporary, MANIFEST), { version: 1, ...entry }, fs);
    await replaceDir(fs, temporary, join(steps, entry.key));
  } finally {
    lock.release();
  }
}

/** Whoever adds or removes entries holds this. */
export async function lockStore(fs: Fs, steps: string): Promise<FileLock> {
  const lock = await fs.lock(join(steps, ".lock"), 60_000);
  if (lock) return lock;
  throw new TemperError("cache-locked", `Cannot change the stored outputs: "${steps}" is still locked`);
}

/** Remembers the digests of large outputs, so that the next look-up need not read them. */
export async function rememberOutputs(env: CacheEnv, hit: CacheHit): Promise<void> {
  for (const { path, sha256 } of hit.outputs) {
    const stamp = hit.stamps.get(path);
    if (stamp !== undefined) await rememberDigest(join(hit.dir, path), sha256, stamp, env);
  }
}

async function changed(
  env: CacheEnv,
  dir: string,
  outputs: readonly Output[],
  stamps: Map<string, string | undefined>,
): Promise<string | undefined> {
  for (const { path, sha256, bytes } of outputs) {
    const file = join(dir, path);
    const large = bytes >= MEMO_BYTES;
    if (large) stamps.set(path, await stampOf(file, env.fs));
    const now = large ? await digestOf(file, env.fs, env.cacheDir) : await env.fs.sha256(file);
    if (now !== sha256) return `"${path}" was changed`;
  }
  return undefined;
}

async function readManifest(
  env: CacheEnv,
  entry: string,
  key: string,
): Promise<z.infer<typeof manifest> | string> {
  const path = join(entry, MANIFEST);
  try {
    const found = await findJson(path, manifest, env.fs);
    if (!found) return `"${MANIFEST}" is missing`;
    return found.key === key ? found : `"${MANIFEST}" belongs to another key`;
  } catch {
    return `"${MANIFEST}" cannot be read`;
  }
}
