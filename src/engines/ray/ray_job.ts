import type { RaySection } from "../../spec/schema/schema_engine.ts";
import type { EngineStatus, EngineWork, JobState, Training } from "../engine.ts";
import { type Attempt, type Attempts, newest, readAttempts } from "./attempts.ts";
import { type Job, RayCluster } from "./cluster.ts";
import { lastEvent } from "./driver_events.ts";
import { AGAIN, endOf } from "./job_end.ts";
import { markSent, nextAttempt, raySection, sendNewest } from "./send.ts";

/** A shared folder may show a file this much later than the node that wrote it. */
const RESULT_MS = 60_000;

/** The newest job of a run, as its cluster sees it. */
export class RayJob {
  #resultSince: number | undefined;

  private constructor(
    private attempts: Attempts,
    private readonly cluster: RayCluster,
    private readonly training: Training,
    private readonly work: EngineWork,
  ) {}

  static async of(training: Training, work: EngineWork): Promise<RayJob> {
    const { dir, run, section } = training;
    const attempts = await readAttempts(dir, work.fs) ?? nextAttempt(run, raySection(section));
    return new RayJob(attempts, new RayCluster(attempts.section, work.env, work.signal), training, work);
  }

  /** What it was sent by: the pipeline file may name another engine by now. */
  get section(): RaySection {
    return this.attempts.section;
  }

  get #newest(): Attempt {
    return newest(this.attempts);
  }

  async state(): Promise<JobState> {
    const { id, sent } = this.#newest;
    const job = await this.cluster.job(id);
    if (!job) return sent ? await this.#unknown() : await this.#send(this.attempts);
    if (!sent) await this.#markSent();
    return job.status === "PENDING"
      ? this.#waiting(job.message ?? "the job has not started yet")
      : await this.#started(job);
  }

  /** Sends the training again. */
  async sendNext(): Promise<JobState> {
    return await this.#send(nextAttempt(this.training.run, this.section, this.attempts));
  }

  submitted(): JobState {
    return { at: "queued", status: this.#status("SUBMITTED") };
  }

  async #send(attempts: Attempts): Promise<JobState> {
    this.attempts = await sendNewest(attempts, this.training, this.work, this.cluster);
    this.#resultSince = undefined;
    return this.submitted();
  }

  async #started(job: Job): Promise<JobState> {
    const { id } = this.#newest;
    const event = lastEvent(await this.cluster.logs(id));
    if (job.status === "SUCCEEDED") return this.#succeeded();
    if (job.status !== "RUNNING") return { ...endOf(id, job, event), status: this.#status(job.status) };
    if (event?.state === "running") return this.#running(event.nodes.join(", "), event.workers);
    if (event?.state !== "pending") return this.#waiting("the driver is starting");
    const message = `Ray job ${id} waits for its workers: ${event.message}`;
    return { ...this.#waiting(event.message), message };
  }

  #waiting(reason: string): JobState & { at: "queued" } {
    return { at: "queued", status: this.#status("PENDING", reason) };
  }

  #running(nodes: string, workers: number): JobState {
    const several = workers === 1 ? "" : ` with ${workers} workers`;
    const message = `Ray job ${this.#newest.id} runs on ${nodes}${several}`;
    return { at: "running", status: { ...this.#status("RUNNING"), nodes, workers }, message };
  }

  /** The result is there as soon as it can be seen from here. */
  #succeeded(): JobState {
    const status = this.#status("SUCCEEDED");
    const now = this.work.clock.monotonic();
    this.#resultSince ??= now;
    if (now - this.#resultSince < RESULT_MS) return { at: "running", status };
    const what = `Ray job ${status.job} has left a result that cannot be seen from here`;
    const hint = `The nodes must share "${this.training.dir}" under this path`;
    return { at: "ended", status, what, hint, again: false };
  }

  /** The cluster had the job and does not know it any more. */
  async #unknown(): Promise<JobState> {
    const { id, session } = this.#newest;
    const now = (await this.cluster.version()).session_name ?? null;
    const status = this.#status("UNKNOWN");
    if (now !== session) {
      const what = `the cluster was started anew, and Ray job ${id} was lost`;
      return { at: "ended", status, what, again: true };
    }
    const what = `Ray job ${id} was deleted from the cluster`;
    return { at: "ended", status, what, code: "job-gone", hint: AGAIN, again: false };
  }

  async #markSent(): Promise<void> {
    const { session_name: session = null } = await this.cluster.version();
    this.attempts = await markSent(this.attempts, session, this.training.dir, this.work);
  }

  #status(state: string, reason?: string): EngineStatus {
    return { kind: "ray", job: this.#newest.id, state, ...reason !== undefined && { reason } };
  }
}
