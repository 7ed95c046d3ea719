import { leavingOpen, TemperError } from "../../lib/errors.ts";
import type { EngineWork, Follower, JobState, Training } from "../engine.ts";
import { RayJob } from "./ray_job.ts";
import { GOES_ON } from "./send.ts";

/** Asks now and then how a run's job is. A cluster that does not answer for a while is asked again. */
export class RayFollower implements Follower {
  #job: RayJob | undefined;
  #asked = -Infinity;
  #last: JobState | undefined;
  #away = false;

  constructor(private readonly training: Training, private readonly work: EngineWork) {}

  /** Nothing tells: the cluster is asked. */
  onChange(): void {}

  async state(): Promise<JobState> {
    const job = this.#job ??= await RayJob.of(this.training, this.work);
    const now = this.work.clock.monotonic();
    if (this.#last && now - this.#asked < job.section.poll_seconds * 1000) return this.#last;
    this.#asked = now;
    try {
      this.#last = await job.state();
      if (this.#away) this.#say(`The Ray cluster at ${job.section.address} answers again`);
      this.#away = false;
    } catch (error) {
      if (!(error instanceof TemperError)) throw error;
      if (!error.transient) throw leavingOpen(error, GOES_ON);
      if (!this.#away) this.#say(`${error.message}: asking again until it answers`);
      this.#away = true;
    }
    return this.#last ??= job.submitted();
  }

  async restart(): Promise<void> {
    this.#last = await this.#job!.sendNext();
    this.#asked = -Infinity;
  }

  #say(message: string): void {
    this.work.progress({ phase: "started", message });
  }
}
