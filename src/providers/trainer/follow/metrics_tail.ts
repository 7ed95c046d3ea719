import { duration } from "../../../lib/text/format.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { readLines } from "../../../lib/files/lines.ts";
import type { Progress } from "../../provider.ts";
import { runOf } from "../job/job_folder.ts";
import { type MetricsEvent, metricsEvent } from "../job/trainer_files.ts";

/** Reads what was appended to metrics.jsonl since the last time. A line counts once its newline is there. */
export class MetricsTail {
  #offset = 0;

  constructor(private readonly path: string, private readonly fs: Fs) {}

  /** What there is to say since the last call: sentences, and of what changes all the time the newest of each phase. */
  async read(): Promise<Progress[]> {
    const size = (await this.fs.stat(this.path))?.size ?? 0;
    if (size <= this.#offset) return [];
    const said: Progress[] = [];
    let newest: Progress | undefined;
    const options = { start: this.#offset };
    for await (const batch of readLines(this.fs.readStream(this.path, this.#offset, size), options)) {
      if (!batch.terminated) break;
      this.#offset = batch.end;
      for (const line of batch.lines) {
        const event = metricsEvent(line);
        const progress = event && progressOf(event);
        if (!progress) continue;
        // The last word of a phase is kept: it may be its last loss.
        const kept = newest?.message !== undefined || progress.message !== undefined;
        if (newest && (kept || progress.phase !== newest.phase)) said.push(newest);
        newest = progress;
      }
    }
    return newest ? [...said, newest] : said;
  }
}

function progressOf(event: MetricsEvent): Progress | undefined {
  switch (event.type) {
    case "phase":
      return event.state === "start" ? { phase: event.phase } : undefined;
    case "train":
      return {
        phase: "train",
        done: event.step,
        total: event.steps,
        unit: "steps",
        metrics: {
          loss: event.loss,
          smoothed: event.smoothed,
          tokens_per_second: event.tokens_per_second,
          learning_rate: event.learning_rate,
          rss: event.rss,
        },
      };
    case "eval":
      return { phase: event.phase, done: event.done, total: event.total, unit: "rows" };
    case "resumed":
      return { phase: "train", message: `Training resumes from the checkpoint of step ${event.step}` };
    case "warning":
      return { phase: "train", message: event.message };
    case "baseline": {
      const took = duration(event.seconds * 1000);
      const message = `The base was scored in run ${
        runOf(event.job)
      } already, in ${took}: its scores are taken`;
      return { phase: "baseline", message };
    }
    case "checkpoint":
      return undefined;
  }
}
