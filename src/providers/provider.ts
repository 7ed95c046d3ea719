import type { z } from "../deps/zod.ts";
import type { Clock } from "../lib/clock.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import type { FieldProblem } from "../spec/rules/field_problem.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Abilities } from "./abilities.ts";
import type { DataSize, Examples, Preview, Setting } from "./preview.ts";

export type { DataSize, Estimate, Examples, Preview, Setting } from "./preview.ts";

/**
 * The environment of steps and providers. Everything is passed in, so that tests control it.
 *
 * @example
 * ```ts
 * const jobs = ({ fs, cacheDir }: Env) => fs.list(`${cacheDir}/jobs`);
 * console.log(jobs.length);
 * ```
 */
export interface Env {
  readonly fs: Fs;
  readonly clock: Clock;
  /** The project's cache, absolute: what is below can be deleted. */
  readonly cacheDir: string;
  /** Cache of what is large and the same for all projects, absolute. @default cacheDir */
  readonly sharedDir?: string;
  /** The shared cache cannot be written: what is new goes into the project's. @default false */
  readonly sharedReadOnly?: boolean;
  /** Environment variables, read once by the command line. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Options of the command line that are not part of the pipeline file. */
  readonly asked?: Asked;
  /** Providers that are not temper's own, by their kind. */
  readonly providers?: Providers;
}

/** Something that a killed process has left in a cache. */
export interface Leftover {
  readonly path: string;
  readonly name: string;
  readonly why: string;
  /** Whoever holds this lock is at work on it. */
  readonly lock?: string;
}

/** Choices of one call of the command line. None of them is part of a key. */
export interface Asked {
  /** Id of an existing job to use as this pipeline's. */
  readonly adopt?: string;
  /** Start a job even if one that does the same may exist. */
  readonly createAnyway?: boolean;
  /** Absolute path of a file with prices. */
  readonly prices?: string;
  /** Devices to estimate for, instead of this machine's. */
  readonly memory?: DeviceMemory;
  /** How many runs share this machine at the same time. @default 1 */
  readonly sideBySide?: number;
}

/** So many devices with so many bytes each. */
export interface DeviceMemory {
  readonly count: number;
  readonly each: number;
}

/**
 * A started job: what its provider needs to find it again. JSON, without secrets.
 *
 * @example
 * ```ts
 * const job: JobRef = { provider: "mycluster", id: "job-7" };
 * ```
 */
export type JobRef = JsonObject & { readonly provider: string };

/**
 * The progress of a step, with numbers for the progress bar. The runner writes it to the log.
 *
 * @example
 * ```ts
 * const progress: Progress = { phase: "train", done: 10, total: 60, unit: "steps", metrics: { loss: 0.7 } };
 * ```
 */
export interface Progress {
  /** The current activity, in a few words: "converting the base", "train". */
  readonly phase: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** Figures to show: loss, tokens_per_second, learning_rate, … */
  readonly metrics?: { readonly [name: string]: number };
  /** A sentence to print once, such as a warning. */
  readonly message?: string;
  /** What the engine of the job says about it: its id there, its state, its nodes. */
  readonly engine?: JsonObject;
  /** How long the phases of the step should take; `measured`: by a speed that this machine has reached. */
  readonly expected?: { readonly seconds: { readonly [phase: string]: number }; readonly measured: boolean };
}

/**
 * One attempt at one step.
 *
 * @example
 * ```ts
 * const wait = async ({ clock, signal, progress }: Work) => {
 *   progress({ phase: "queued" });
 *   await clock.sleep(1_000, signal);
 * };
 * console.log(wait.length);
 * ```
 */
export interface Work extends Env {
  readonly loaded: LoadedSpec;
  /** The step's key: lower-case hex sha256. */
  readonly key: string;
  readonly runId: string;
  /** Absolute. The job of a local provider lives in `job/` below it. */
  readonly runDir: string;
  /** An empty folder for this attempt. Its content at the end is the step's output. */
  readonly out: string;
  progress(progress: Progress): void;
  /** What this step wrote down with `record` in this run, before any interruption, oldest first. */
  readonly records: readonly JsonObject[];
  /** Makes a fact durable: that a call is about to be made, or its outcome. */
  record(record: JsonObject, progress: Progress): Promise<void>;
  /** Aborted when the user leaves or the process must stop: clean up and throw `signal.reason`. */
  readonly signal: AbortSignal;
}

/**
 * An attempt at writing down the job.
 *
 * @example
 * ```ts
 * const rowsOf = ({ fs, examples }: ConfigureWork) => fs.readText(`${examples}/train.jsonl`);
 * console.log(rowsOf.length);
 * ```
 */
export interface ConfigureWork extends Work {
  /** Folder with train.jsonl, eval.jsonl (when there is one) and report.json. */
  readonly examples: string;
}

/**
 * An attempt at starting the job.
 *
 * @example
 * ```ts
 * const start = async ({ job, key, submitted }: SubmitWork): Promise<JobRef> => {
 *   if (job) return job;
 *   const started: JobRef = { provider: "mycluster", id: key };
 *   await submitted(started);
 *   return started;
 * };
 * console.log(start.length);
 * ```
 */
export interface SubmitWork extends Work {
  /** Folder that configure left. */
  readonly configured: string;
  /** The job this run had already committed before an interruption. */
  readonly job: JobRef | undefined;
  /** Makes durable that the job exists. Called as soon as it does, before anything else happens. */
  submitted(job: JobRef): Promise<void>;
}

/**
 * An attempt at following the job to its end.
 *
 * @example
 * ```ts
 * const idOf = ({ job }: MonitorWork) => job["id"];
 * console.log(idOf.length);
 * ```
 */
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

/**
 * A finished job's result: the `metrics` and `artifacts` of `show`.
 *
 * @example
 * ```ts
 * const result: JobResult = { metrics: { metric: "exact_match", before: 0, after: 0.9 }, artifacts: [] };
 * ```
 */
export type JobResult = {
  readonly metrics: JsonObject;
  readonly artifacts: readonly Artifact[];
};

export interface InspectOptions {
  /** Ignore problems that are only estimates. */
  readonly force: boolean;
}

/**
 * What is wrong with a pipeline that its file alone does not show, such as its base. Reads no more than headers,
 * writes and starts nothing. Apart from the rest of a provider, because checking a file must not load it.
 */
export type Inspect = (loaded: LoadedSpec, env: Env, options: InspectOptions) => Promise<FieldProblem[]>;

/**
 * A provider that is not one of temper's own.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * const schema = z.strictObject({ queue: z.string().meta({ description: "Queue of the cluster" }) });
 * const extend = (provider: Provider): ProviderExtension<typeof schema> => ({ schema, provider: () => provider });
 * console.log(extend.length);
 * ```
 */
export interface ProviderExtension<Fields extends z.ZodObject = z.ZodObject> {
  /** The fields of the `provider` section besides `kind`, with descriptions and defaults. No others are allowed. */
  readonly schema: Fields;
  /** What it supports in conversations. @default as for the providers that train here */
  readonly abilities?: Abilities;
  /** Makes the provider, when a pipeline is about to use it. */
  provider(): Provider | Promise<Provider>;
  /** What is wrong with a pipeline that its fields do not show. @default nothing */
  readonly inspect?: Inspect;
}

/**
 * Your own providers, by their `provider.kind`.
 *
 * @example
 * ```ts
 * const providersOf = (mycluster: ProviderExtension): Providers => ({ mycluster });
 * console.log(providersOf.length);
 * ```
 */
export type Providers = Readonly<Record<string, ProviderExtension>>;

/**
 * Where a pipeline's job runs. Each provider answers for itself; no code branches on its name.
 *
 * @example
 * ```ts
 * const renamed = (provider: Provider): Provider => ({ ...provider, kind: "mycluster" });
 * console.log(renamed.length);
 * ```
 */
export interface Provider {
  readonly kind: string;
  /** What configure's output depends on besides the examples: resolved parameters, digests of base and trainer. */
  inputs(loaded: LoadedSpec, env: Env): Promise<JsonObject>;
  /** What happens to the job's result beyond the job itself: part of monitor's key. */
  delivery(loaded: LoadedSpec, env: Env): JsonObject;
  /**
   * What running would take. `configured` is configure's stored output, when there is one, and `examples` are the rows,
   * when they were read. Reads files, writes and starts nothing.
   */
  preview(
    loaded: LoadedSpec,
    env: Env,
    data: DataSize,
    configured: string | undefined,
    examples?: Examples,
  ): Promise<Preview>;
  /**
   * Settings whose value the file alone does not tell, or tells without its reason: those of `preview` that are known
   * before the rows are read. A run keeps them. @default none
   */
  settings?(loaded: LoadedSpec, env: Env): Promise<readonly Setting[]>;
  /** Writes job.json and what the job needs into `out`. Returns a summary to show. */
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
