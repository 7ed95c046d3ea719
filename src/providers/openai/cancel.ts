import { basename, join } from "../../deps/path.ts";
import type { FineTuningJob } from "../../deps/openai.ts";
import { TemperError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import { Spec } from "../../spec/schema/schema.ts";
import type { Env, JobRef } from "../provider.ts";
import { JOB, pendingIntent } from "./job/create_once.ts";
import { endpointOf, hostedSpec } from "./dialects/dialect.ts";
import { alive, jobsOfRun, lookAlikes, madeSince } from "./job/find_job.ts";
import { hasEnded, parseJob } from "./job/job_view.ts";
import { endpointOfJob } from "./monitor.ts";
import { Service } from "./service.ts";

/** A service may take a while to stop a job that trains. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 1_000;

/** Cancels the job and waits until the service says so. Without a committed job it looks for one of this run. */
export async function cancelHosted(job: JobRef, runDir: string, env: Env): Promise<void> {
  const options = { env, signal: new AbortController().signal, progress: () => {}, phase: "cancel" };
  if (typeof job["id"] === "string") {
    return await cancelJob(await Service.open(endpointOfJob(job), options), job["id"], env);
  }
  const records = Array.isArray(job["records"]) ? job["records"] as JsonObject[] : [];
  const intent = pendingIntent(records, JOB);
  if (!intent) return;
  const { spec, steps } = JSON.parse(await env.fs.readText(join(runDir, "plan.json")));
  const service = await Service.open(endpointOf(hostedSpec(Spec.parse(spec)), env.env), options);
  const key = String(steps.find((step: { kind: string }) => step.kind === "submit")?.key);
  const jobs = service.endpoint.dialect.metadata
    ? await jobsOfRun(service, key, basename(runDir))
    : await jobsMadeSince(service, intent, env.clock.now());
  for (const { id } of jobs) await cancelJob(service, id, env);
}

/** Where jobs carry no key, this run's is the only one of its suffix and file that is younger than the intent. */
async function jobsMadeSince(service: Service, intent: JsonObject, now: number): Promise<FineTuningJob[]> {
  const mark = { suffix: String(intent["suffix"]), trainingFile: String(intent["training_file"]) };
  const jobs = alive(madeSince(await lookAlikes(service, mark, now), intent));
  if (jobs.length <= 1) return jobs;
  throw new TemperError(
    "job-in-doubt",
    `Cannot cancel: ${service.endpoint.dialect.service} keeps no keys, and any of these may be this run's job: ` +
      jobs.map(({ id }) => id).join(", "),
    { hint: "Cancel the right one on the service's own page, then cancel this run again" },
  );
}

async function cancelJob(service: Service, id: string, { clock }: Env): Promise<void> {
  const look = () =>
    service.read(
      `look at job ${id}`,
      async (options) => parseJob(await service.client.fineTuning.jobs.retrieve(id, options)),
    );
  if (hasEnded(await look())) return;
  // A second cancel does nothing, so it may be tried again; one that comes too late is refused.
  await service.read(`cancel job ${id}`, (options) => service.client.fineTuning.jobs.cancel(id, options))
    .catch(async (error) => {
      if (!hasEnded(await look())) throw error;
    });
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (!hasEnded(await look())) {
    if (clock.monotonic() >= deadline) {
      throw new TemperError(
        "not-cancelled",
        `Cannot cancel job ${id}: the service was asked and goes on with it`,
        {
          hint: "Cancel it on the service's own page: it may go on costing money",
        },
      );
    }
    await clock.sleep(LOOK_MS);
  }
}
