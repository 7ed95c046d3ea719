import type { FineTuningJob } from "openai/resources/fine-tuning/jobs/jobs";
import type { Service } from "../service.ts";
import type { Intent } from "./records.ts";

/** How this pipeline's job is recognised at the service. */
export interface Mark {
  /** Key of the submit step: everything that decides what the job does. */
  readonly key: string;
  readonly runId: string;
  readonly suffix: string;
  readonly trainingFile: string;
}

/** What a job without metadata is recognised by. */
type Traits = Pick<Mark, "suffix" | "trainingFile">;

/** Metadata fields of a job, where the service keeps metadata. */
export const KEY_FIELD = "temper_key";
export const RUN_FIELD = "temper_run";

/** Clocks of two machines may differ by this much. */
const SKEW_MS = 5 * 60_000;
/** Without metadata, a job older than this does not count as a duplicate. */
const WINDOW_MS = 30 * 86_400_000;

const FAILED: readonly string[] = ["failed", "cancelled"];

/** The job of this run in any state; otherwise one of the same key that has not failed, unless `ownOnly`. */
export async function findByKey(
  service: Service,
  mark: Mark,
  ownOnly: boolean,
): Promise<FineTuningJob | undefined> {
  return await service.read("list the jobs", async (options) => {
    const query = { limit: 100, metadata: { [KEY_FIELD]: mark.key } };
    let other: FineTuningJob | undefined;
    for await (const job of service.client.fineTuning.jobs.list(query, options)) {
      // A server that ignores the filter lists every job.
      if (job.metadata?.[KEY_FIELD] !== mark.key) continue;
      if (job.metadata[RUN_FIELD] === mark.runId) return job;
      if (!FAILED.includes(job.status)) other ??= job;
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
export async function jobsLike(service: Service, mark: Traits, now: number): Promise<FineTuningJob[]> {
  return await service.read("list the jobs", async (options) => {
    const found: FineTuningJob[] = [];
    for await (const job of service.client.fineTuning.jobs.list({ limit: 100 }, options)) {
      if (isAlike(job, mark) && now - job.created_at * 1000 < WINDOW_MS) found.push(job);
    }
    return found;
  });
}

/** Those that an interrupted try may have created: not known before it, and not older than it. */
export function createdSince(jobs: readonly FineTuningJob[], { known = [], at }: Intent): FineTuningJob[] {
  const since = at - SKEW_MS;
  return jobs.filter((job) => !known.includes(job.id) && job.created_at * 1000 >= since);
}

/** Those whose training would be paid for again. */
export function withoutFailed(jobs: readonly FineTuningJob[]): FineTuningJob[] {
  return jobs.filter(({ status }) => !FAILED.includes(status));
}

function isAlike(job: FineTuningJob, { suffix, trainingFile }: Traits): boolean {
  if (job.training_file !== trainingFile) return false;
  const given = job as { user_provided_suffix?: string | null; suffix?: string | null };
  const returned = given.user_provided_suffix ?? given.suffix;
  // Where the service does not return the suffix, only the file tells.
  return returned === undefined || returned === null || returned === suffix;
}
