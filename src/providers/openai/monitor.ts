import { basename } from "../../deps/path.ts";
import { leavingOpen } from "../../lib/errors.ts";
import { explainError } from "../../lib/system_error.ts";
import { duration } from "../../lib/text/format.ts";
import type { MonitorWork } from "../provider.ts";
import { hostedSpec } from "./hosted_spec.ts";
import { type JobEvent, newEvents } from "./job/job_events.ts";
import { endpointOfJob, type HostedJob, readJobRef } from "./job/job_ref.ts";
import { hasEnded, isWaiting, type JobView, parseJob } from "./job/job_view.ts";
import { seenEvents, writeRecord } from "./job/records.ts";
import { Service } from "./service.ts";

const PHASE = "train";
/** Validation is known to hang: a longer one is worth a warning. */
const STALL_MS = 2 * 3_600_000;
/** Factor by which the poll interval grows at most while nothing happens. */
const SLOWEST = 6;

/** Follows a hosted job to its end. The log holds the events that were seen, so that a new runner repeats and misses none. */
export async function followHosted(work: MonitorWork, service: Service): Promise<JobView> {
  const ref = readJobRef(work.job);
  const { id } = ref;
  const seen = seenEvents(work.records);
  const pollMs = hostedSpec(work.loaded.spec).provider.poll_seconds * 1000;
  let slower = 1;
  let status: string | undefined;
  let stalled = false;
  while (true) {
    work.signal.throwIfAborted();
    // While the service is away, it is asked no more often than otherwise.
    const leastMs = pollMs * slower;
    const job = await service.read(
      `read job ${id}`,
      async (options) => parseJob(await service.client.fineTuning.jobs.retrieve(id, options)),
      { leastMs },
    ).catch((error) => leaveOpen(error, work));
    const events = await newEvents(service, id, seen, leastMs).catch((error) => leaveOpen(error, work));
    for (const event of events) {
      await tell(work, event);
      seen.add(event.id);
    }
    if (hasEnded(job)) return job;
    const moved = job.status !== status || events.length > 0;
    if (job.status !== status) work.progress({ phase: phaseOf(job), message: `Job ${id} is ${job.status}` });
    status = job.status;
    if (!stalled && isStalled(work, ref, job)) stalled = warnOfStall(work, id);
    slower = moved ? 1 : Math.min(SLOWEST, slower * 1.5);
    const random = parseInt(work.clock.randomHex(4), 16) / 0xffffffff;
    await work.clock.sleep(pollMs * slower * (0.8 + random * 0.4), work.signal);
  }
}

/** A job goes on whether or not it can be asked about. Only one that the service does not know is over. */
function leaveOpen(thrown: unknown, { runDir }: MonitorWork): never {
  const error = explainError("Cannot follow the job", thrown);
  const run = basename(runDir);
  const hint =
    `The job may still run: \`temper resume ${run}\` follows it, \`temper cancel ${run}\` stops it`;
  throw error.code === "http-404" ? error : leavingOpen(error, hint);
}

export function openService(work: MonitorWork): Promise<Service> {
  return Service.forStep(endpointOfJob(readJobRef(work.job)), work, PHASE);
}

async function tell(work: MonitorWork, event: JobEvent): Promise<void> {
  const { id, message, level, type, step, total, metrics } = event;
  const spoken = type !== "metrics" && message !== "" || level === "warn" || level === "error";
  await writeRecord(work, { event: id }, {
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

function isStalled({ clock }: MonitorWork, { started }: HostedJob, { status }: JobView): boolean {
  return status === "validating_files" && clock.now() - Date.parse(started) > STALL_MS;
}

function warnOfStall(work: MonitorWork, id: string): true {
  const message =
    `Job ${id} has been validating its files for more than ${duration(STALL_MS)}: services are known to ` +
    "hang here. The run keeps waiting until it is cancelled";
  work.progress({ phase: "wait", message });
  return true;
}
