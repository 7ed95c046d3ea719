import { join } from "node:path";
import { TemperError } from "../../lib/errors.ts";
import { Spec } from "../../spec/schema.ts";
import type { Env, JobRef } from "../provider.ts";
import { endpointOf, hostedSpec } from "./dialect.ts";
import { KEY_FIELD, RUN_FIELD } from "./find_job.ts";
import { hasEnded, parseJob } from "./job_view.ts";
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
  const plan = JSON.parse(await env.fs.readText(join(runDir, "plan.json")));
  const endpoint = endpointOf(hostedSpec(Spec.parse(plan.spec)), env.env);
  const submit = plan.steps.find((step: { kind: string }) => step.kind === "submit")?.key;
  if (!endpoint.dialect.metadata || env.env[endpoint.keyEnv] === undefined) return;
  const service = await Service.open(endpoint, options);
  const run = runDir.split("/").at(-1);
  const ids = await service.read("list the jobs", async (request) => {
    const found: string[] = [];
    const query = { limit: 100, metadata: { [KEY_FIELD]: String(submit) } };
    for await (const { id, metadata } of service.client.fineTuning.jobs.list(query, request)) {
      if (metadata?.[RUN_FIELD] === run) found.push(id);
    }
    return found;
  });
  for (const id of ids) await cancelJob(service, id, env);
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
