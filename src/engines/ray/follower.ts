import { TemperError } from "../../lib/errors.ts";
import type { EngineStatus, EngineWork, Follower, JobState } from "../engine.ts";
import { type Attempts, newest, readAttempts } from "./attempts.ts";
import { type Job, RayCluster } from "./cluster.ts";
import { lastEvent } from "./driver_events.ts";
import { AGAIN, endOf } from "./job_end.ts";
import { markSent, nextAttempt, type RayTraining, sendNewest } from "./send.ts";

/** A shared folder may show a file this much later than the node that wrote it. */
const RESULT_MS = 60_000;

/** Follows the newest job of a run. A cluster that does not answer for a while is asked again. */
export class RayFollower implements Follower {
  readonly #cluster: RayCluster;
  #attempts: Attempts;
  #asked = -Infinity;
  #last: JobState;
  #away = false;
  #resultSince: number | undefined;

  constructor(private readonly training: RayTraining, private readonly work: EngineWork) {
    this.#cluster = new RayCluster(training.section, work.env, work.signal);
    this.#attempts = nextAttempt(training);
    this.#last = this.#submitted();
  }

  /** Nothing tells: the cluster is asked. */
  onChange(): void {}

  async state(): Promise<JobState> {
    const { clock } = this.work;
    if (clock.monotonic() - this.#asked < this.training.section.poll_seconds * 1000) return this.#last;
    this.#asked = clock.monotonic();
    try {
      this.#attempts = await readAttempts(this.training.dir, this.work.fs) ?? this.#attempts;
      this.#last = await this.#ask();
      if (this.#away) this.#say(`The Ray cluster at ${this.#cluster.shown} answers again`);
      this.#away = false;
    } catch (error) {
      if (!(error instanceof TemperError) || !error.transient) throw error;
      if (!this.#away) this.#say(`${error.message}: asking again until it answers`);
      this.#away = true;
    }
    return this.#last;
  }

  async restart(): Promise<void> {
    this.#attempts = nextAttempt(this.training, this.#attempts);
    await this.#send();
  }

  async #send(): Promise<JobState> {
    this.#attempts = await sendNewest(this.#attempts, this.training, this.work, this.#cluster);
    this.#asked = -Infinity;
    return this.#last = this.#submitted();
  }

  #submitted(): JobState {
    return { at: "queued", status: this.#status("SUBMITTED") };
  }

  async #ask(): Promise<JobState> {
    const { id, sent } = newest(this.#attempts);
    const job = await this.#cluster.job(id);
    if (!job) return sent ? await this.#unknown() : await this.#send();
    if (!sent) await this.#markSent();
    if (job.status === "PENDING") return this.#waiting(job.message ?? "the job has not started yet");
    return await this.#started(job);
  }

  async #started(job: Job): Promise<JobState> {
    const event = lastEvent(await this.#cluster.logs(newest(this.#attempts).id));
    if (job.status === "SUCCEEDED") return this.#succeeded();
    if (job.status !== "RUNNING") {
      return { ...endOf(newest(this.#attempts).id, job, event), status: this.#status(job.status) };
    }
    if (event?.state === "running") return this.#running(event.nodes.join(", "), event.workers);
    if (event?.state !== "pending") return this.#waiting("the driver is starting");
    const { message } = event;
    const { id } = newest(this.#attempts);
    return { ...this.#waiting(message), message: `Ray job ${id} waits for its workers: ${message}` };
  }

  #running(nodes: string, workers: number): JobState {
    const { id } = newest(this.#attempts);
    const message = `Ray job ${id} runs on ${nodes}${workers === 1 ? "" : ` with ${workers} workers`}`;
    return { at: "running", status: { ...this.#status("RUNNING"), nodes, workers }, message };
  }

  /** The result is there as soon as it can be seen from here. */
  #succeeded(): JobState {
    const status = this.#status("SUCCEEDED");
    const now = this.work.clock.monotonic();
    this.#resultSince ??= now;
    if (now - this.#resultSince < RESULT_MS) return { at: "running", status };
    return {
      at: "ended",
      status,
      what: `Ray job ${status.job} has left a result that cannot be seen from here`,
      hint: `The nodes must share "${this.training.dir}" under this path`,
      again: false,
    };
  }

  #waiting(reason: string): JobState & { at: "queued" } {
    return { at: "queued", status: this.#status("PENDING", reason) };
  }

  /** The cluster had the job and does not know it any more. */
  async #unknown(): Promise<JobState> {
    const { id, session } = newest(this.#attempts);
    const now = (await this.#cluster.version()).session_name ?? null;
    const status = this.#status("UNKNOWN");
    if (now !== session) {
      const what = `the cluster was started anew, and Ray job ${id} was lost`;
      return { at: "ended", status, what, again: true };
    }
    const what = `Ray job ${id} was deleted from the cluster`;
    return { at: "ended", status, what, code: "job-gone", hint: AGAIN, again: false };
  }

  async #markSent(): Promise<void> {
    const { session_name: session = null } = await this.#cluster.version();
    this.#attempts = await markSent(this.#attempts, session, this.training.dir, this.work);
  }

  #status(state: string, reason?: string): EngineStatus {
    return { kind: "ray", job: newest(this.#attempts).id, state, ...reason !== undefined && { reason } };
  }

  #say(message: string): void {
    this.work.progress({ phase: "started", message });
  }
}
