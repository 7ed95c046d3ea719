import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import type { Fs } from "../lib/files/fs.ts";
import { findJson, writeJson } from "../lib/json/json_file.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";
import { jsonObject } from "../log/events.ts";
import { runSetting } from "../log/run_settings.ts";
import { nameInId } from "./run_id.ts";
import { masked, maskedText, secretValues } from "../lib/net/secrets.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { MASKED_NOTE } from "../spec/read.ts";

const PLAN_FILE = "plan.json";
/** The copy of the pipeline that a run keeps. */
export const PIPELINE_FILE = "pipeline.yaml";
/** Its presence asks the process that drives the run to cancel it. */
export const CANCEL_FILE = "cancel";
/** Folder of what unfinished attempts have left. */
export const ATTEMPTS = "attempts";

/** plan.json: what was decided when the run was made. `spec` is the pipeline with defaults and overrides filled in. */
const planFile = z.object({
  version: z.literal(1),
  name: z.string(),
  /** Which combination of the file's matrix it is; absent when the file has none. */
  cell: z.string().optional(),
  /** Overrides of the pipeline, each `PATH=VALUE`. Plans that were written before have none. */
  set: z.array(z.string()).readonly().optional(),
  /** Asterisks replace a secret in `set`, which can contain other asterisks. */
  setMasked: z.literal(true).optional(),
  /** Absolute folder that relative paths of the pipeline start from. Plans that were written before have none. */
  dir: z.string().optional(),
  /** The cache it was made with. Plans that were written before have none. */
  cache: z.object({
    /** Absolute. */
    dir: z.string(),
    /** It also holds what is otherwise shared by all projects. */
    whole: z.boolean(),
  }).readonly().optional(),
  /** ISO time. */
  created: z.string(),
  /** Counts the runs of the folder, because the clock may be set back. Earlier plans count those of one name, or none. */
  number: z.int().min(1).optional(),
  hash: z.string(),
  steps: z.array(
    z.object({ kind: z.string(), cached: z.boolean(), key: z.string(), parts: jsonObject }).readonly(),
  ).min(1).readonly(),
  spec: jsonObject,
  /** The same value by value, with where each comes from. Plans that were written before have none. */
  settings: z.array(runSetting).readonly().optional(),
}).readonly();
export type PlanFile = z.infer<typeof planFile>;
/** The one part of it that is read of every run whenever one is made. */
const numberFile = z.object({ number: z.int().min(1).optional() });

export interface EarlierRun {
  readonly id: string;
  readonly dir: string;
  readonly plan: PlanFile;
}

/** Where the finished output of a step lies. `index` counts from 0, folders from 1. */
export function stepDir(runDir: string, index: number, kind: string): string {
  return join(runDir, "steps", `${index + 1}-${kind}`);
}

/** Writes what never changes again. plan.json comes last: with it, the folder is a run. */
export async function writeRunFolder(fs: Fs, dir: string, pipeline: string, plan: PlanFile): Promise<void> {
  await fs.writeAtomic(join(dir, PIPELINE_FILE), pipeline);
  await writeJson(join(dir, PLAN_FILE), plan, fs);
}

/** plan.json of a run; undefined where there is none. */
export async function readPlan(fs: Fs, runDir: string): Promise<PlanFile | undefined> {
  return await findJson(join(runDir, PLAN_FILE), planFile, fs, {
    code: "corrupt-plan",
    hint: "Restore the file or remove its run folder",
  });
}

/** The runs of one pipeline name, newest first. Folders that were claimed and never became a run are left out. */
export async function earlierRuns(fs: Fs, runsDir: string, name: string): Promise<EarlierRun[]> {
  const runs: EarlierRun[] = [];
  for (const id of await fs.list(runsDir)) {
    if (nameInId(id) !== name) continue;
    const dir = join(runsDir, id);
    const plan = await readPlan(fs, dir);
    if (plan) runs.push({ id, dir, plan });
  }
  return runs.sort((a, b) =>
    numberOf(b) - numberOf(a) || compare(b.plan.created, a.plan.created) || compare(b.id, a.id)
  );
}

/** For the next run of the folder. Only while holding the lock on the choice of a run. */
export async function nextNumber(fs: Fs, runsDir: string): Promise<number> {
  let most = 0;
  for (const id of await fs.list(runsDir)) {
    if (nameInId(id) === undefined) continue;
    // A damaged plan must not stop a new run: `--fresh` is the way past it.
    const plan = await findJson(join(runsDir, id, PLAN_FILE), numberFile, fs).catch(() => undefined);
    most = Math.max(most, plan?.number ?? 0);
  }
  return most + 1;
}

function numberOf({ plan }: EarlierRun): number {
  return plan.number ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a run's folder keeps of its pipeline file: the text, with what must not be read from there masked. */
export function pipelineCopy(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const masked = maskedText(text, secretValues(env, text));
  return masked === text ? text : MASKED_NOTE + masked;
}

/** Which variant of its file a run is of, as plan.json keeps it. */
export function variantOf(
  { spec, cell, set }: Pick<LoadedSpec, "spec" | "cell" | "set">,
  env: Readonly<Record<string, string | undefined>>,
): Pick<PlanFile, "cell" | "set" | "setMasked"> {
  const known = secretValues(env, JSON.stringify(spec));
  const kept = set?.map((override) => masked(override, known));
  return {
    ...cell && { cell: cell.label },
    ...kept && { set: kept },
    ...kept?.some((override, i) => override !== set?.[i]) && { setMasked: true },
  };
}

/** The spec and settings that plan.json keeps, masked where a value or a name is or contains a secret. */
export function specCopy(spec: JsonObject, env: Readonly<Record<string, string | undefined>>): JsonObject {
  const known = secretValues(env, JSON.stringify(spec));
  const copy = (value: Json): Json => {
    if (typeof value === "string") return masked(value, known);
    if (value instanceof Array) return value.map(copy);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [masked(name, known), copy(item)]));
  };
  return copy(spec) as JsonObject;
}
