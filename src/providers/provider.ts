import type { Clock } from "../lib/clock.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";
import type { FieldProblem } from "../spec/rules/field_problem.ts";
import type { LoadedSpec } from "../spec/load.ts";

/** What steps and providers may use of the world. Everything is passed in, so that tests own it. */
export interface Env {
  readonly fs: Fs;
  readonly clock: Clock;
  /** The project's cache, absolute: what is below can be deleted. */
  readonly cacheDir: string;
  /** Cache of what is large and the same for all projects, absolute. @default cacheDir */
  readonly sharedDir?: string;
  /** Environment variables, read once by the command line. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line says beside the pipeline file. */
  readonly asked?: Asked;
}

/** Choices of one call of the command line. None of them is part of a key. */
export interface Asked {
  /** Id of a job to take for this pipeline's. */
  readonly adopt?: string;
  /** Start a job although one may exist that does the same. */
  readonly createAnyway?: boolean;
  /** Absolute path of a file with prices. */
  readonly prices?: string;
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
  /** What this step wrote down with `record` in this run, before any interruption, oldest first. */
  readonly records: readonly JsonObject[];
  /** Makes a fact durable: that a call is about to be made, or what came of it. */
  record(record: JsonObject, progress: Progress): Promise<void>;
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

/** How much data there is: counted in the stored output of format, or estimated from the sources. */
export interface DataSize {
  readonly trainRows: number;
  readonly evalRows: number;
  /** Characters of all messages. */
  readonly trainChars: number;
  readonly evalChars: number;
  /** How the figures were found: "counted" or "estimated from …". */
  readonly how: string;
}

/** One resolved setting, for `plan`. */
export interface Setting {
  /** Dotted path in the file. */
  readonly field: string;
  readonly value: Json;
  /** Why it is this value: the file says so, or the reason of the default. */
  readonly reason: string;
}

/** One estimated figure, for `plan`. */
export interface Estimate {
  readonly name: string;
  /** In words: "about 2 min". */
  readonly text: string;
  /** What it rests on. */
  readonly basis: string;
  /** The numbers behind the words, with their unit in the name: {seconds: 118}. */
  readonly figures: JsonObject;
}

/** What a provider expects of a pipeline before anything was started. */
export interface Preview {
  /** The base in words. */
  readonly base: string;
  readonly settings: readonly Setting[];
  readonly estimates: readonly Estimate[];
  /** Sentences a user should read before running. */
  readonly notes: readonly string[];
}

export interface InspectOptions {
  /** Let pass what an estimate alone speaks against. */
  readonly force: boolean;
}

/**
 * What is wrong with a pipeline that its file alone does not show, such as its base. Reads no more than headers,
 * writes and starts nothing. Apart from the rest of a provider, because checking a file must not load it.
 */
export type Inspect = (loaded: LoadedSpec, env: Env, options: InspectOptions) => Promise<FieldProblem[]>;

/** Where a pipeline's job runs. Each provider answers for itself; nobody branches on its name. */
export interface Provider {
  readonly kind: string;
  /** What configure's output depends on besides the examples: resolved parameters, digests of base and trainer. */
  inputs(loaded: LoadedSpec, env: Env): Promise<JsonObject>;
  /** What becomes of the job's result, as far as the job itself does not say it: part of monitor's key. */
  delivery(loaded: LoadedSpec, env: Env): JsonObject;
  /**
   * What running would take. `configured` is configure's stored output, when there is one. Reads files, writes and
   * starts nothing.
   */
  preview(loaded: LoadedSpec, env: Env, data: DataSize, configured: string | undefined): Promise<Preview>;
  /** Writes job.json and whatever the job needs into `out`. Returns what is worth showing. */
  configure(work: ConfigureWork): Promise<JsonObject>;
  /** Starts the job once, or adopts the one that exists for this key. */
  submit(work: SubmitWork): Promise<JobRef>;
  /** Follows the job to its end, through any number of interruptions. Throws when it failed. */
  monitor(work: MonitorWork): Promise<JobResult>;
  /**
   * Stops the job. Returns when it no longer runs. When no job was committed, `job` holds the provider's name and the
   * `records` of the submit step: one may have been started by a process that was killed before it could say so.
   */
  cancel(job: JobRef, runDir: string, env: Env): Promise<void>;
}
