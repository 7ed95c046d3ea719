import { join } from "../../deps/path.ts";
import { TemperError } from "../../lib/errors.ts";
import type { Ended, EngineStatus, EngineWork, Follower, JobState, Training } from "../engine.ts";
import { RESULT_FILE } from "../job_files.ts";
import { ask, UNREACHABLE } from "./commands.ts";
import { isActive, jobsNamed, parseJobs, type QueuedJob, RUNNING, WAITING, waitingIn } from "./queue.ts";
import { type JobLine, readJobLines } from "./state_file.ts";
import { verdict } from "./verdict.ts";
import type { SlurmJob } from "./job_name.ts";

/** A shared folder may show a file this much later than the node that wrote it. */
const RESULT_MS = 60_000;

/** Asks Slurm now and then, and the state file that the job's script writes at every look. */
export class SlurmFollower implements Follower {
  /** Slurm's last answer: `null` when it does not know the job any more. */
  #job: QueuedJob | null | undefined;
  #place: EngineStatus["place"];
  #asked = -Infinity;
  #line: string | undefined;
  #away = false;
  #resultSince: number | undefined;
  #wake: (() => void) | undefined;

  constructor(
    private readonly job: SlurmJob,
    private readonly training: Training,
    private readonly work: EngineWork,
    private readonly pollMs: number,
  ) {}

  onChange(wake: () => void): void {
    this.#wake = wake;
  }

  restart(): Promise<void> {
    throw new TypeError("Cannot start a Slurm job again: no end of one asks for it");
  }

  async state(): Promise<JobState> {
    const line = (await readJobLines(this.training.dir, this.work.fs)).findLast(({ job }) =>
      job === this.job.id
    );
    const written = JSON.stringify(line);
    const due = this.work.clock.monotonic() - this.#asked >= this.pollMs;
    if (due || written !== this.#line) await this.#ask();
    this.#line = written;
    return await this.#stateBy(line);
  }

  async #ask(): Promise<void> {
    try {
      const jobs = parseJobs(await ask(jobsNamed(this.job.name), this.work));
      const job = jobs.find(({ id }) => id === this.job.id);
      this.#job = job ?? null;
      this.#place = job?.state === "PENDING" ? await this.#placeOf(job) : undefined;
      if (this.#away) this.work.progress({ phase: "started", message: "Slurm answers again" });
      this.#away = false;
    } catch (error) {
      if (!(error instanceof TemperError) || error.code !== UNREACHABLE) throw error;
      if (!this.#away) {
        this.work.progress({ phase: "started", message: `${error.message}: asking again until it answers` });
      }
      this.#away = true;
    }
    this.#asked = this.work.clock.monotonic();
  }

  async #placeOf({ id, partition }: QueuedJob): Promise<EngineStatus["place"]> {
    const { stdout } = await ask(waitingIn(partition), this.work);
    const waiting = stdout.split("\n").filter((line) => line !== "");
    const place = waiting.indexOf(id) + 1;
    return place === 0 ? undefined : [place, waiting.length];
  }

  async #stateBy(line: JobLine | undefined): Promise<JobState> {
    const job = this.#job;
    if (line?.at === "ended" && !(isActive(job) && mayGoOn(line))) return await this.#ended(line, job);
    if (job === undefined) {
      // Slurm has not answered yet
      return { at: line?.at === "started" ? "running" : "queued", status: this.#status("UNKNOWN") };
    }
    if (job && WAITING.includes(job.state)) return this.#queued(job, line);
    if (job && RUNNING.includes(job.state)) return this.#running(job);
    return this.#over(job?.state, job?.reason, line);
  }

  /** The script has ended. A result counts as soon as it can be seen from here. */
  async #ended(line: JobLine, job: QueuedJob | null | undefined): Promise<JobState> {
    const end = this.#over(
      job && !isActive(job) ? job.state : line.code === 0 ? "COMPLETED" : "FAILED",
      job?.reason,
      line,
    );
    if (!line.result || await this.work.fs.stat(join(this.training.dir, RESULT_FILE))) return end;
    const now = this.work.clock.monotonic();
    this.#resultSince ??= now;
    if (now - this.#resultSince < RESULT_MS) return { at: "running" };
    const what = `Slurm job ${this.job.id} has left a result that cannot be seen from here`;
    return { ...end, what, hint: `The nodes must share "${this.training.dir}" under this path` };
  }

  #over(state: string | undefined, reason: string | undefined, line: JobLine | undefined): Ended {
    const status = this.#status(state ?? "GONE", reason, line?.nodes);
    return { at: "ended", again: false, status, ...verdict(this.job.id, state, reason, line) };
  }

  #queued(job: QueuedJob, line: JobLine | undefined): JobState {
    const status = { ...this.#status(job.state, job.reason), ...this.#place && { place: this.#place } };
    const why = [
      job.reason ?? [],
      this.#place ? `place ${this.#place[0]} of ${this.#place[1]} in partition ${job.partition}` : [],
      job.start === undefined ? [] : `expected to start at ${job.start}`,
    ].flat();
    const again = line?.at === "requeued"
      ? " again, close to its time limit or asked to make room"
      : " again";
    const what = `Slurm job ${job.id} is queued${line ? again : ""}`;
    return { at: "queued", status, message: why.length === 0 ? what : `${what}: ${why.join(", ")}` };
  }

  #running(job: QueuedJob): JobState {
    const { workers } = this.job;
    const status = this.#status(job.state, job.reason, job.nodes);
    const message = `Slurm job ${job.id} runs on ${job.nodes}${
      workers === 1 ? "" : ` with ${workers} workers`
    }`;
    return { at: "running", status, ...job.state === "RUNNING" && { message } };
  }

  #status(state: string, reason?: string, nodes?: string): EngineStatus {
    const { id, workers } = this.job;
    return {
      kind: "slurm",
      job: id,
      state,
      ...reason !== undefined && { reason },
      ...nodes !== undefined && nodes !== "" && { nodes, workers },
    };
  }
}

/** The trainer was stopped by a signal that did not come from its script: Slurm knows whether the job goes on. */
function mayGoOn({ code, why }: JobLine): boolean {
  return code === 130 && why === undefined;
}
