import { join } from "../../deps/path.ts";
import { z } from "../../deps/zod.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { ray } from "../../spec/schema/schema_engine.ts";
import { findJson, writeJson } from "../../lib/json/json_file.ts";

const Attempt = z.strictObject({
  /** Id of the job. */
  id: z.string(),
  /** The cluster's session when it was sent: a head that is started again has another one, and knows no older jobs. */
  session: z.string().nullable(),
  /** Whether the cluster has said that it has the job. It may have it without. */
  sent: z.boolean(),
});
export type Attempt = z.infer<typeof Attempt>;

const Attempts = z.strictObject({
  version: z.literal(1),
  /** What they were sent by: the pipeline file may name another engine by now. */
  section: ray,
  attempts: z.array(Attempt).min(1),
});
/** The jobs that were sent for a run, oldest first; at most the last one is alive. */
export type Attempts = z.infer<typeof Attempts>;

/** In the job folder. */
export const FOLDER = "ray";
const FILE = join(FOLDER, "jobs.json");

/** `undefined`: nothing was sent for this run. */
export async function readAttempts(dir: string, fs: Fs): Promise<Attempts | undefined> {
  return await findJson(join(dir, FILE), Attempts, fs);
}

/** Durable when it returns: nothing is sent that is not written down. */
export async function writeAttempts(dir: string, attempts: Attempts, fs: Fs): Promise<void> {
  await fs.mkdirp(join(dir, FOLDER));
  await writeJson(join(dir, FILE), attempts, fs);
}

export function newest({ attempts }: Attempts): Attempt {
  return attempts.at(-1)!;
}

export function withNewest(attempts: Attempts, attempt: Attempt): Attempts {
  return { ...attempts, attempts: [...attempts.attempts.slice(0, -1), attempt] };
}
