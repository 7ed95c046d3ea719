// deno-lint-ignore-file camelcase -- names of the log
import { z } from "zod";
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

export function readJobRef(job: JobRef): HostedJob {
  return hostedJob.parse(job);
}

/** Whether a job was committed. Otherwise `job` holds the records of the submit step, where one may have been started. */
export function isCommitted(job: JobRef): boolean {
  return job["id"] !== undefined;
}

/** The service that has the job. */
export function endpointOfJob(
  { dialect: name, base_url: baseUrl, api_key_env: keyEnv }: HostedJob,
): Endpoint {
  const dialect = dialectNamed(name);
  if (dialect) return { dialect, baseUrl, keyEnv };
  throw new TemperError("unknown-dialect", `Cannot reach the job: this temper has no dialect "${name}"`, {
    hint: "Use the version of temper that started it",
  });
}
