import { basename, join } from "../../deps/path.ts";
import type { FineTuningJob } from "../../deps/openai.ts";
import { TemperError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import { Spec } from "../../spec/schema/schema.ts";
import type { Env, JobRef } from "../provider.ts";
import { endpointOf } from "./endpoint.ts";
import { hostedSpec } from "./hosted_spec.ts";
import { JOB } from "./job/creation.ts";
import { createdSince, jobsLike, jobsOfRun, withoutFailed } from "./job/matching_jobs.ts";
import { endpointOfJob, readJobToCancel } from "./job/job_ref.ts";
import { hasEnded, parseJob } from "./job/job_view.ts";
import { type Intent, pendingIntent, refuseUnknown } from "./job/records.ts";
import { Service } from "./service.ts";

/** A service may take a while to stop a running job. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 1_000;

/** Cancels the job and waits until the service confirms it. Without a committed job it looks for one of this run. */
export async function cancelHosted(job: JobRef, runDir: string, env: Env): Promise<void> {
  const options = { env, signal: new AbortController().signal, progress: () => {}, phase: "cancel" };
  const found = readJobToCancel(job);
  if ("id" in found) {
    return await cancelJob(await Service.open(endpointOfJob(found), options), found.id, env);
  }
  const records = found.records as JsonObject[];
  refuseUnknown(records);
  const intent = pendingIntent(records, JOB);
  if (!intent) return;
  const { spec, steps } = JSON.parse(await env.fs.readText(join(runDir, "plan.json")));
  const hosted = hostedSpec(Spec.parse(spec));
  const service = await Service.open(endpointOf(hosted, env.env), options);
  const key = String(steps.find((step: { kind: string }) => step.kind === "submit")?.key);
  const find = () =>
    service.endpoint.dialect.findsJobsBy === "metadata"
      ? jobsOfRun(service, key, basename(runDir))
      : jobsCreatedSince(service, intent, env.clock.now());
  const settleMs = hosted.provider.settle_seconds * 1000;
  const jobs = await findListed(find, Math.min(settleMs, intent.at + settleMs - env.clock.now()), env);
  for (const { id } of jobs) await cancelJob(service, id, env);
}

/** Looks once, and again until `ms` have passed while nothing is listed: a job that is missed here trains, and is paid for. */
async function findListed(
  find: () => Promise<FineTuningJob[]>,
  ms: number,
  { clock }: Env,
): Promise<FineTuningJob[]> {
  const deadline = clock.monotonic() + ms;
  while (true) {
    const jobs = await find();
    const left = deadline - clock.monotonic();
    if (jobs.length > 0 || left <= 0) return jobs;
    await clock.sleep(Math.min(LOOK_MS, left));
  }
}

/** Where jobs carry no key, this run's is the only one of its suffix and file that is younger than the intent. */
async function jobsCreatedSince(service: Service, intent: Intent, now: number): Promise<FineTuningJob[]> {
  const traits = { suffix: intent.suffix ?? "", trainingFile: intent.training_file ?? "" };
  const jobs = withoutFailed(createdSince(await jobsLike(service, traits, now), intent));
  if (jobs.length <= 1) return jobs;
  throw new TemperError(
    "job-in-doubt",
    `Cannot cancel: ${service.endpoint.dialect.service} keeps no metadata, and each of these may be this run's job: ` +
      jobs.map(({ id }) => id).join(", "),
    { hint: "Cancel the right one on the service's own page, then cancel this run again" },
  );
}

async function cancelJob(service: Service, id: string, { clock }: Env): Promise<void> {
  const look = () =>
    service.read(
      `read job ${id}`,
      async (options) => parseJob(await service.client.fineTuning.jobs.retrieve(id, options)),
    );
  if (hasEnded(await look())) return;
  // A second cancel does nothing, so it may be retried; one that comes too late is refused.
  await service.read(`cancel job ${id}`, (options) => service.client.fineTuning.jobs.cancel(id, options))
    .catch(async (error) => {
      if (!hasEnded(await look())) throw error;
    });
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (!hasEnded(await look())) {
    if (clock.monotonic() >= deadline) {
      throw new TemperError(
        "not-cancelled",
        `Cannot cancel job ${id}: the service accepted the request, but the job still runs`,
        {
          hint: "Cancel it on the service's own page: it may still cost money",
        },
      );
    }
    await clock.sleep(LOOK_MS);
  }
}
