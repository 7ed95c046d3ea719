import { TemperError } from "../../lib/errors.ts";
import { duration } from "../../lib/text/format.ts";
import type { MonitorWork } from "../provider.ts";
import { DIALECTS, type Endpoint, hostedSpec } from "./dialects/dialect.ts";
import { adviceFor } from "./errors.ts";
import { type JobEvent, newEvents } from "./job/job_events.ts";
import { type JobFile, readJobFile } from "./job/job_file.ts";
import { hasEnded, isWaiting, type JobView, parseJob } from "./job/job_view.ts";
import { rowsNamed } from "./upload/row_origins.ts";
import { Service } from "./service.ts";

const PHASE = "train";
/** Validation that takes longer is worth a word: it is known to hang. */
const STALL_MS = 2 * 3_600_000;
/** How far the time between two looks grows while nothing happens. */
const SLOWEST = 6;

/** Follows a hosted job to its end. What was seen stands in the log, so a new runner neither repeats nor misses it. */
export async function followHosted(work: MonitorWork, service: Service): Promise<JobView> {
  const id = String(work.job["id"]);
  const seen = new Set(work.records.flatMap(({ event }) => typeof event === "string" ? [event] : []));
  const pollMs = hostedSpec(work.loaded.spec).provider.poll_seconds * 1000;
  let slower = 1;
  let status: string | undefined;
  let stalled = false;
  while (true) {
    work.signal.throwIfAborted();
    const job = await service.read(
      `look at job ${id}`,
      async (options) => parseJob(await service.client.fineTuning.jobs.retrieve(id, options)),
    );
    const events = await newEvents(service, id, seen);
    for (const event of events) {
      await tell(work, event);
      seen.add(event.id);
    }
    if (hasEnded(job)) return job;
    const moved = job.status !== status || events.length > 0;
    if (job.status !== status) work.progress({ phase: phaseOf(job), message: `Job ${id} is ${job.status}` });
    status = job.status;
    if (!stalled && isStalled(work, job)) stalled = warnOfStall(work, id);
    slower = moved ? 1 : Math.min(SLOWEST, slower * 1.5);
    const random = parseInt(work.clock.randomHex(4), 16) / 0xffffffff;
    await work.clock.sleep(pollMs * slower * (0.8 + random * 0.4), work.signal);
  }
}

/** The service that has the job, whatever the pipeline file says by now. */
export function endpointOfJob(job: MonitorWork["job"]): Endpoint {
  const dialect = DIALECTS[job["dialect"] as keyof typeof DIALECTS];
  return { dialect, baseUrl: String(job["base_url"]), keyEnv: String(job["api_key_env"]) };
}

export function openService(work: MonitorWork): Promise<Service> {
  const progress = (told: Parameters<MonitorWork["progress"]>[0]) => work.progress(told);
  return Service.open(endpointOfJob(work.job), { env: work, signal: work.signal, progress, phase: PHASE });
}

/** Throws what became of a job that did not succeed. */
export async function refuseFailed(work: MonitorWork, job: JobView): Promise<void> {
  if (job.status === "succeeded") return;
  if (job.status === "cancelled") {
    throw new TemperError("job-cancelled", `Cannot finish: job ${job.id} was cancelled at the service`, {
      hint: "Run the same command again to start another",
    });
  }
  const { code, message, param } = job.error ?? {};
  const words = message ?? "the service does not say why";
  const configured: JobFile = await readJobFile(work.configured, work.fs);
  const rows = await rowsNamed(words, param, configured, work.configured, work.fs);
  const advice = adviceFor(code, words);
  const facts = [code, param].filter((fact) => fact).join(", ");
  throw new TemperError(
    advice?.code ?? "job-failed",
    `Cannot finish: job ${job.id} failed${facts === "" ? "" : ` (${facts})`}: ${words}` +
      rows.map((row) => `\n  ${row}`).join(""),
    { hint: advice?.hint ?? "Its events in the log of the run say more" },
  );
}

async function tell(work: MonitorWork, event: JobEvent): Promise<void> {
  const { id, message, level, type, step, total, metrics } = event;
  const spoken = type !== "metrics" && message !== "" || level === "warn" || level === "error";
  await work.record({ event: id }, {
    phase: PHASE,
    ...step !== undefined && { done: step, unit: "steps" },
    ...total !== undefined && { total },
    ...Object.keys(metrics).length > 0 && { metrics },
    ...spoken && { message: level === "info" ? message : `${level}: ${message}` },
  });
}

function phaseOf(job: JobView): string {
  return job.status === "running" ? PHASE : isWaiting(job) ? "wait" : job.status;
}

function isStalled({ clock, job: { started } }: MonitorWork, { status }: JobView): boolean {
  return status === "validating_files" && clock.now() - Date.parse(String(started)) > STALL_MS;
}

function warnOfStall(work: MonitorWork, id: string): true {
  const message =
    `Job ${id} has been validating its files for more than ${duration(STALL_MS)}: services are known to ` +
    "hang here. It goes on until the run is cancelled";
  work.progress({ phase: "wait", message });
  return true;
}
