import { join } from "../../deps/path.ts";
import { leavingOpen, TemperError } from "../../lib/errors.ts";
import { writeJson } from "../../lib/json/json_file.ts";
import type { EngineSection, RaySection } from "../../spec/schema/schema_engine.ts";
import type { EngineWork, Training } from "../engine.ts";
import { type Attempts, newest, withNewest, writeAttempts } from "./attempts.ts";
import type { RayCluster } from "./cluster.ts";
import { jobRequest, WORKERS_FILE, workersFile } from "./request.ts";

/** For a run that stays open. */
export const GOES_ON = "The job may be running: run the same command again to follow it";

export function raySection(section: EngineSection): RaySection {
  if (section.kind !== "ray") throw new TypeError(`Cannot use Ray for engine.kind ${section.kind}`);
  return section;
}

/** One more attempt, not sent yet. `before`: those that have ended. */
export function nextAttempt(run: string, section: RaySection, before?: Attempts): Attempts {
  const earlier = before?.attempts ?? [];
  const id = `temper-${run}-${earlier.length + 1}`;
  return { version: 1, section, attempts: [...earlier, { id, session: null, sent: false }] };
}

/**
 * Sends the newest attempt, which may have been sent before: the cluster takes an id only once, so what it has then is
 * this job. Written down first, so that whoever comes after a kill knows of it.
 */
export async function sendNewest(
  attempts: Attempts,
  { run, dir, command }: Training,
  work: EngineWork,
  cluster: RayCluster,
): Promise<Attempts> {
  const { id } = newest(attempts);
  const trainer = await command();
  const { session_name: session = null } = await cluster.version();
  await writeAttempts(dir, attempts, work.fs);
  await writeJson(join(dir, WORKERS_FILE), workersFile(attempts.section, dir, trainer), work.fs);
  await work.record({ engine: "ray", job: id }, { phase: "submit" });
  await orOpen(cluster.submit(jobRequest(id, run, dir, trainer)), ({ transient }) => transient);
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

/** Asks the cluster about a job that it may have. A run must not end because there was no answer. */
export async function orOpen<T>(
  asked: Promise<T>,
  inDoubt: (error: TemperError) => boolean = () => true,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof TemperError && inDoubt(error) ? leavingOpen(error, GOES_ON) : error;
  }
}
