import { join } from "../../deps/path.ts";
import { writeJson } from "../../lib/json/json_file.ts";
import type { RaySection } from "../../spec/schema/schema_engine.ts";
import type { EngineWork, Training } from "../engine.ts";
import { type Attempts, newest, withNewest, writeAttempts } from "./attempts.ts";
import type { RayCluster } from "./cluster.ts";
import { jobRequest, WORKERS_FILE, workersFile } from "./request.ts";

export type RayTraining = Training<RaySection>;

/** One more attempt, not sent yet. `before`: those that have ended. */
export function nextAttempt({ run, section }: RayTraining, before?: Attempts): Attempts {
  const { address, auth_env: authEnv } = section;
  const earlier = before?.attempts ?? [];
  return {
    version: 1,
    address,
    ...authEnv !== undefined && { auth_env: authEnv },
    attempts: [...earlier, { id: `temper-${run}-${earlier.length + 1}`, session: null, sent: false }],
  };
}

/**
 * Sends the newest attempt, which may have been sent before: the cluster takes an id only once, so what it has then is
 * this job. Written down first, so that whoever comes after a kill knows of it.
 */
export async function sendNewest(
  attempts: Attempts,
  { run, dir, section, command }: RayTraining,
  work: EngineWork,
  cluster: RayCluster,
): Promise<Attempts> {
  const { id } = newest(attempts);
  const trainer = await command();
  const { session_name: session = null } = await cluster.version();
  await writeAttempts(dir, attempts, work.fs);
  await writeJson(join(dir, WORKERS_FILE), workersFile(section, dir, trainer), work.fs);
  await work.record({ engine: "ray", job: id }, { phase: "submit" });
  await cluster.submit(jobRequest(id, run, dir, trainer));
  return await markSent(attempts, session, dir, work);
}

/** Writes down that the cluster has the newest attempt, in this session of it. */
export async function markSent(
  attempts: Attempts,
  session: string | null,
  dir: string,
  { fs }: EngineWork,
): Promise<Attempts> {
  const sent = withNewest(attempts, { id: newest(attempts).id, session, sent: true });
  await writeAttempts(dir, sent, fs);
  return sent;
}
