import type { Clock } from "../lib/clock.ts";
import type { Fs } from "../lib/fs.ts";
import type { JsonObject } from "../lib/json.ts";
import type { LoadedSpec } from "../spec/load.ts";

/** What steps and providers may use of the world. Everything is passed in, so that tests own it. */
export interface Env {
  readonly fs: Fs;
  readonly clock: Clock;
  /** `--cache`, absolute: what is below can be deleted. */
  readonly cacheDir: string;
  /** Environment variables, read once by the command line. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A job that was started, in whatever words its provider needs to find it again. JSON, without secrets. */
export type JobRef = JsonObject & { readonly provider: string };

/** One line a person can follow, with numbers for the bar. The runner writes it to the log. */
export interface Progress {
  /** What is going on, in a few words: "converting the base", "train". */
  readonly phase: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** Numbers worth showing: loss, tokens_per_second, learning_rate, … */
  readonly metrics?: { readonly [name: string]: number };
  /** A sentence to print once, such as a warning. */
  readonly message?: string;
}

/** One attempt at one step. */
export interface Work extends Env {
  readonly loaded: LoadedSpec;
  /** The step's key: lower-case hex sha256. */
  readonly key: string;
  readonly runId: string;
  /** Absolute. The job of a local provider lives in `job/` below it. */
  readonly runDir: string;
  /** An empty folder of this attempt. What stands in it at the end is the step's output. */
  readonly out: string;
  progress(progress: Progress): void;
  /** Aborted when the user leaves or the process is told to stop: wind down and throw `signal.reason`. */
  readonly signal: AbortSignal;
}

export interface ConfigureWork extends Work {
  /** Folder with train.jsonl, eval.jsonl (when there is one) and report.json. */
  readonly examples: string;
}

export interface SubmitWork extends Work {
  /** Folder that configure left. */
  readonly configured: string;
  /** The job this run had already committed before an interruption. */
  readonly job: JobRef | undefined;
  /** Makes durable that the job exists. Called as soon as it does, before anything else happens. */
  submitted(job: JobRef): Promise<void>;
}

export interface MonitorWork extends Work {
  readonly configured: string;
  readonly job: JobRef;
}

/** A file or folder the job left. `path` is relative to the run folder; a folder's digest covers its files. */
export type Artifact = {
  readonly kind: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** What a finished job is worth: the `metrics` and `artifacts` of `show`. */
export type JobResult = {
  readonly metrics: JsonObject;
  readonly artifacts: readonly Artifact[];
};

/** Where a pipeline's job runs. Each provider answers for itself; nobody branches on its name. */
export interface Provider {
  readonly kind: string;
  /** What configure's output depends on besides the examples: resolved parameters, digests of base and trainer. */
  inputs(loaded: LoadedSpec, env: Env): Promise<JsonObject>;
  /** Writes job.json and whatever the job needs into `out`. Returns what is worth showing. */
  configure(work: ConfigureWork): Promise<JsonObject>;
  /** Starts the job once, or adopts the one that exists for this key. */
  submit(work: SubmitWork): Promise<JobRef>;
  /** Follows the job to its end, through any number of interruptions. Throws when it failed. */
  monitor(work: MonitorWork): Promise<JobResult>;
  /** Stops the job. Returns when it no longer runs. */
  cancel(job: JobRef, runDir: string, env: Env): Promise<void>;
}
