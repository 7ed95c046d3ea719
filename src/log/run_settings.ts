import { join } from "../deps/path.ts";
import { z } from "../deps/zod.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";
import { findJson } from "../lib/json/json_file.ts";
import { jsonObject } from "./events.ts";

/** One value that a run was made with. */
export type RunSetting = {
  /** Dotted path in the pipeline file. */
  readonly field: string;
  readonly value: Json;
  /** Who gave it: file, set, matrix, default, base, environment. Later versions may know others. */
  readonly from?: string;
  /** Why it is this value, where nobody gave it. */
  readonly reason?: string;
};

export const runSetting = z.object({
  field: z.string(),
  value: z.json() as z.ZodType<Json>,
  from: z.string().optional(),
  reason: z.string().optional(),
}) as z.ZodType<RunSetting>;

/** The part of plan.json that says what a run was made with. */
const planned = z.object({ settings: z.array(runSetting).optional(), spec: jsonObject });

/**
 * What a run was made with, in the order of the pipeline file, and the same as a whole pipeline. Plans of earlier
 * versions do not say where a value comes from. undefined: the folder has no plan.
 */
export async function readSettings(
  fs: ReadFs,
  runDir: string,
): Promise<{ readonly settings: readonly RunSetting[]; readonly spec: JsonObject } | undefined> {
  const plan = await findJson(join(runDir, "plan.json"), planned, fs);
  if (!plan) return undefined;
  const { spec, settings = leavesOf(spec).map(([path, value]) => ({ field: path.join("."), value })) } = plan;
  return { settings, spec };
}

/** Fields that say which pipeline it is, not how it trains. */
const ABOUT = ["version", "name", "matrix"];

/** Every value of a pipeline with its place; a list is one value. */
export function leavesOf(spec: JsonObject): [path: readonly string[], value: Json][] {
  const walk = (value: Json, path: readonly string[]): [readonly string[], Json][] =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
      ? Object.entries(value).flatMap(([name, item]) => walk(item, [...path, name]))
      : [[path, value]];
  return Object.entries(spec).filter(([name]) => !ABOUT.includes(name)).flatMap(([name, value]) =>
    walk(value, [name])
  );
}
