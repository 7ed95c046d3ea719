import { z } from "../../../deps/zod.ts";
import { TemperError } from "../../../lib/errors.ts";
import { dialectNamed } from "../../../spec/dialects/registry.ts";
import type { JobRef } from "../../provider.ts";
import type { Endpoint } from "../endpoint.ts";

const hostedJob = z.object({
  provider: z.literal("openai"),
  id: z.string(),
  dialect: z.string(),
  base_url: z.string(),
  api_key_env: z.string(),
  model: z.string().optional(),
  how: z.enum(["created", "adopted"]).optional(),
  /** When the service created it, as an ISO time. */
  started: z.string(),
});
/** A committed job: what it takes to find it again, whatever the pipeline file says by then. */
export type HostedJob = z.infer<typeof hostedJob>;

/** What there is of a job that was not committed: the records of the submit step, which may have started one. */
const uncommitted = z.object({ records: z.array(z.record(z.string(), z.json())).default([]) });

export function readJobRef(job: JobRef): HostedJob {
  return hostedJob.parse(job);
}

/** For cancelling: the committed job, or the records of the submit step. */
export function readJobToCancel(job: JobRef): HostedJob | z.infer<typeof uncommitted> {
  return job["id"] === undefined ? uncommitted.parse(job) : hostedJob.parse(job);
}

/** The service that has the job. */
export function endpointOfJob(
  { dialect: name, base_url: baseUrl, api_key_env: keyEnv }: HostedJob,
): Endpoint {
  const dialect = dialectNamed(name);
  if (dialect) return { dialect, baseUrl, keyEnv };
  throw new TemperError(
    "unknown-dialect",
    `Cannot reach the job: this version of temper has no dialect "${name}"`,
    {
      hint: "Use the version of temper that started it",
    },
  );
}
