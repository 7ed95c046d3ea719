import { basename, dirname, join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import { DiskUsage } from "../lib/files/disk_usage.ts";
import { TemperError } from "../lib/errors.ts";
import { filesBelow } from "../lib/files/folder.ts";
import { explainSystemError } from "../lib/system_error.ts";
import type { Fs } from "../lib/files/fs.ts";
import { readJson } from "../lib/json/json_file.ts";
import { LOCK_FILE, readRun } from "../log/read_run.ts";
import { KEEP_TAG, readTags } from "../log/run_tags.ts";
import { isTerminal, type RunState } from "../log/run_state.ts";
import type { Env, Leftover } from "../providers/provider.ts";
import { lockStore, MANIFEST, STORE, UNFINISHED } from "./cache.ts";
import { readPlan } from "./run_folder.ts";
import { nameInId } from "./run_id.ts";
import { lockChoice, lockRun } from "./lock.ts";

/** Begins the name of a run folder that is being removed: no reader takes it for a run. */
const REMOVING = ".removing-";

export interface PruneOptions {
  /** Absolute. */
  readonly runsDir: string;
  /** Finished runs that stay of each pipeline, the newest first. */
  readonly keep?: number | undefined;
  /** Only runs that ended longer ago than this. */
  readonly olderThanMs?: number | undefined;
  /** What providers have left behind in the caches. @default nothing */
  readonly leftovers?: (env: Env) => Promise<readonly Leftover[]>;
}

/** Something that can go. */
export interface Removal {
  readonly kind: "run" | "output" | "leftover";
  readonly path: string;
  /** The run's id, the step whose output it is, or a name. */
  readonly name: string;
  /** Why it can go. */
  readonly why: string;
  readonly bytes: number;
  /** It is removed only while this lock is free. */
  readonly lock?: string;
}

export interface PrunePlan {
  readonly removals: readonly Removal[];
  /** Bytes that removing all of them gives back: files that something else links to stay. */
  readonly freed: number;
  readonly kept: { readonly runs: number; readonly outputs: number };
}

interface Found {
  readonly id: string;
  readonly dir: string;
  readonly name: string;
  /** Counts the runs, because the clock may have been set back; 0 in old plans without one. */
  readonly number: number;
  readonly state: RunState | undefined;
  /** Why it stays whatever is asked for. */
  readonly stays: boolean;
}

/** Looks what can go and what refers to what. Changes nothing. */
export async function planPrune(env: Env, options: PruneOptions): Promise<PrunePlan> {
  const { fs, cacheDir } = env;
  const runs = await findRuns(env.fs, options.runsDir);
  const going = chooseRuns(runs, options, env.clock.now());
  const staying = runs.filter((run) => !going.has(run));
  const outputs = await unreferenced(fs, join(cacheDir, STORE), staying);
  const candidates = [
    ...[...going].map(([{ id, dir }, why]) => ({ kind: "run" as const, path: dir, name: id, why })),
    ...outputs.going,
    ...await leftovers(fs, options.runsDir, join(cacheDir, STORE)),
    ...(await options.leftovers?.(env) ?? []).map((left) => ({ kind: "leftover" as const, ...left })),
  ];
  const all = new DiskUsage();
  const removals: Removal[] = [];
  for (const candidate of candidates) {
    const own = new DiskUsage();
    await own.add(candidate.path, fs);
    await all.add(candidate.path, fs);
    removals.push({ ...candidate, bytes: own.total });
  }
  return { removals, freed: all.freed, kept: { runs: staying.length, outputs: outputs.kept } };
}

/** Removes what can go. Nobody chooses or makes a run meanwhile. */
export async function prune(env: Env, options: PruneOptions): Promise<PrunePlan> {
  const { fs, cacheDir } = env;
  const looked = await planPrune(env, options);
  if (looked.removals.length === 0) return looked;
  const choosing = await lockChoice(env, options.runsDir);
  try {
    // Planned again: between looking and locking, a run may have begun.
    const plan = await planPrune(env, options);
    const runs = plan.removals.filter(({ kind }) => kind === "run");
    for (const { path } of runs) await removeRun(fs, path);
    const stored = plan.removals.filter(({ kind }) => kind !== "run");
    const steps = join(cacheDir, STORE);
    const store = await fs.stat(steps) ? await lockStore(fs, steps) : undefined;
    try {
      for (const { path, kind, lock } of stored) {
        await removeStored(fs, path, kind === "output" ? UNFINISHED : "", lock);
      }
    } finally {
      store?.release();
    }
    return plan;
  } finally {
    choosing.release();
  }
}

async function findRuns(fs: Fs, runsDir: string): Promise<Found[]> {
  const runs: Found[] = [];
  const compared = await comparisons(fs, runsDir);
  for (const id of await fs.list(runsDir)) {
    const dir = join(runsDir, id);
    const name = nameInId(id);
    if (name === undefined) continue;
    try {
      const plan = await readPlan(fs, dir);
      if (!plan) continue;
      const state = await readRun(fs, dir);
      const { tags } = await readTags(fs, dir);
      const ended = state && isTerminal(state) && !compared.includes(id) && !tags.includes(KEEP_TAG) &&
        !await isUsed(fs, dir);
      runs.push({ id, dir, name, number: plan.number ?? 0, state, stays: !ended });
    } catch (error) {
      if (!(error instanceof TemperError)) throw error;
      // What cannot be read is for a person to look at.
      runs.push({ id, dir, name, number: 0, state: undefined, stays: true });
    }
  }
  return runs;
}

/** The text of all comparisons, which list the runs they use. */
async function comparisons(fs: Fs, runsDir: string): Promise<string> {
  let text = "";
  for (const name of await fs.list(runsDir)) {
    const path = join(runsDir, name, "compare.json");
    if (nameInId(name) === undefined && (await fs.stat(path))?.isFile) text += await fs.readText(path);
  }
  return text;
}

/** Whether a process holds any lock of the run: a runner, or a trainer that outlived it. */
async function isUsed(fs: Fs, dir: string): Promise<boolean> {
  for (const path of await filesBelow(dir, fs)) {
    if (basename(path) === LOCK_FILE && await fs.isLocked(join(dir, path))) return true;
  }
  return false;
}

/** The runs that go, each with the reason. */
function chooseRuns(runs: readonly Found[], options: PruneOptions, now: number): Map<Found, string> {
  const { keep, olderThanMs } = options;
  const going = new Map<Found, string>();
  if (keep === undefined && olderThanMs === undefined) return going;
  const names = Map.groupBy(runs, ({ name }) => name);
  for (const ofName of names.values()) {
    // A run that is under way may be linking what an earlier one has left.
    if (ofName.some(({ state, stays }) => stays && state?.state === "running")) continue;
    const finished = ofName.filter(({ stays }) => !stays)
      .sort((a, b) => b.number - a.number || endOf(b) - endOf(a) || (a.id < b.id ? 1 : -1));
    for (const run of finished.slice(keep ?? 0)) {
      if (olderThanMs !== undefined && now - endOf(run) <= olderThanMs) continue;
      going.set(run, run.state!.state);
    }
  }
  return going;
}

function endOf({ state }: Found): number {
  return Date.parse(state?.finished ?? state?.started ?? "") || 0;
}

/** Stored outputs whose key no staying run has planned. */
async function unreferenced(fs: Fs, store: string, staying: readonly Found[]) {
  const keys = new Set<string>();
  for (const { dir, state } of staying) {
    const plan = await readPlan(fs, dir).catch(() => undefined);
    for (const { key } of [...plan?.steps ?? [], ...state?.steps ?? []]) keys.add(key);
  }
  const going: Omit<Removal, "bytes">[] = [];
  const names = (await fs.list(store)).filter((name) => !name.startsWith("."));
  for (const name of names.filter((name) => !keys.has(name))) {
    const path = join(store, name);
    going.push({ kind: "output", path, name: await stepOf(fs, path), why: "not used by any run" });
  }
  return { going, kept: names.length - going.length };
}

async function stepOf(fs: Fs, entry: string): Promise<string> {
  try {
    const { step } = await readJson(join(entry, MANIFEST), z.object({ step: z.string() }), fs);
    return `${step} ${basename(entry).slice(0, 8)}`;
  } catch {
    return basename(entry).slice(0, 8);
  }
}

/** What killed processes have left: folders that never started, and halves of stored outputs. */
async function leftovers(fs: Fs, runsDir: string, store: string): Promise<Omit<Removal, "bytes">[]> {
  const found: Omit<Removal, "bytes">[] = [];
  const add = (dir: string, name: string, why: string) =>
    found.push({ kind: "leftover", path: join(dir, name), name, why });
  for (const name of await fs.list(runsDir)) {
    if (name.startsWith(REMOVING)) add(runsDir, name, "partly removed");
    else if (nameInId(name) !== undefined && await isNoRun(fs, join(runsDir, name))) {
      add(runsDir, name, "never started");
    }
  }
  for (const name of await fs.list(store)) if (name.startsWith(UNFINISHED)) add(store, name, "partly stored");
  return found;
}

async function isNoRun(fs: Fs, dir: string): Promise<boolean> {
  return await readPlan(fs, dir).catch(() => "damaged") === undefined &&
    !await fs.stat(join(dir, "events.jsonl")) && !await fs.isLocked(join(dir, LOCK_FILE));
}

async function removeRun(fs: Fs, dir: string): Promise<void> {
  const lock = await lockRun(fs, basename(dir), dir);
  try {
    await removeWhole(fs, dir, REMOVING);
  } finally {
    lock.release();
  }
}

/** Leaves what somebody is at, who holds its lock. */
async function removeStored(fs: Fs, path: string, prefix: string, lock: string | undefined): Promise<void> {
  try {
    const held = lock === undefined ? undefined : await fs.lock(lock);
    try {
      if (lock === undefined || held) await removeWhole(fs, path, prefix);
    } finally {
      held?.release();
    }
  } catch (error) {
    throw explainSystemError(`Cannot remove "${path}"`, error);
  }
}

/** Under another name first, so that no reader ever meets a part. */
async function removeWhole(fs: Fs, path: string, prefix: string): Promise<void> {
  const parent = dirname(path);
  const hidden = prefix === "" ? path : join(parent, prefix + basename(path));
  if (hidden !== path) {
    await fs.rename(path, hidden);
    await fs.syncDir(parent);
  }
  await fs.remove(hidden);
}
