import type { FineTuningJob } from "../../../deps/openai.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import type { Service } from "../service.ts";

/** How this pipeline's job is told from others at the service. */
export interface Mark {
  /** Key of the submit step: everything that decides what the job does. */
  readonly key: string;
  readonly runId: string;
  readonly suffix: string;
  readonly trainingFile: string;
}

/** What a job looks like from outside. */
type Look = Pick<Mark, "suffix" | "trainingFile">;

/** Metadata fields of a job, where the service keeps some. */
export const KEY_FIELD = "temper_key";
export const RUN_FIELD = "temper_run";

/** Clocks of two machines may differ by this much. */
const SKEW_MS = 5 * 60_000;
/** Without metadata, a job made longer ago than this is not taken for a duplicate. */
const WINDOW_MS = 30 * 86_400_000;

const DEAD: readonly string[] = ["failed", "cancelled"];

/** The job of this run, in whatever state; otherwise a living or finished one of the same key, unless `ownOnly`. */
export async function findByKey(
  service: Service,
  mark: Mark,
  ownOnly: boolean,
): Promise<FineTuningJob | undefined> {
  return await service.read("list the jobs", async (options) => {
    const query = { limit: 100, metadata: { [KEY_FIELD]: mark.key } };
    let other: FineTuningJob | undefined;
    for await (const job of service.client.fineTuning.jobs.list(query, options)) {
      // A server that ignores the filter answers with everybody's jobs.
      if (job.metadata?.[KEY_FIELD] !== mark.key) continue;
      if (job.metadata[RUN_FIELD] === mark.runId) return job;
      if (!DEAD.includes(job.status)) other ??= job;
    }
    return ownOnly ? undefined : other;
  });
}

/** Every job of a run, where the service keeps metadata. */
export async function jobsOfRun(service: Service, key: string, runId: string): Promise<FineTuningJob[]> {
  return await service.read("list the jobs", async (options) => {
    const found: FineTuningJob[] = [];
    const query = { limit: 100, metadata: { [KEY_FIELD]: key } };
    for await (const job of service.client.fineTuning.jobs.list(query, options)) {
      if (job.metadata?.[RUN_FIELD] === runId) found.push(job);
    }
    return found;
  });
}

/** Jobs of the same suffix and training file, for services that keep no metadata. */
export async function lookAlikes(service: Service, mark: Look, now: number): Promise<FineTuningJob[]> {
  return await service.read("list the jobs", async (options) => {
    const found: FineTuningJob[] = [];
    for await (const job of service.client.fineTuning.jobs.list({ limit: 100 }, options)) {
      if (isAlike(job, mark) && now - job.created_at * 1000 < WINDOW_MS) found.push(job);
    }
    return found;
  });
}

/** Those that came to be after an interrupted try: not known before it, and not older than it. */
export function madeSince(jobs: readonly FineTuningJob[], intent: JsonObject): FineTuningJob[] {
  const known = intent["known"] as readonly string[] | undefined ?? [];
  const since = Number(intent["at"]) - SKEW_MS;
  return jobs.filter((job) => !known.includes(job.id) && job.created_at * 1000 >= since);
}

/** Whether a job that would be paid for again is among them. */
export function alive(jobs: readonly FineTuningJob[]): FineTuningJob[] {
  return jobs.filter(({ status }) => !DEAD.includes(status));
}

function isAlike(job: FineTuningJob, { suffix, trainingFile }: Look): boolean {
  if (job.training_file !== trainingFile) return false;
  const given = job as { user_provided_suffix?: string | null; suffix?: string | null };
  const told = given.user_provided_suffix ?? given.suffix;
  // A service that does not repeat the suffix leaves the file alone to go by.
  return told === undefined || told === null || told === suffix;
}
