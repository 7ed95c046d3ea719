import type { Clock } from "../lib/clock.ts";
import type { Fs } from "../lib/fs.ts";
import type { JsonObject } from "../lib/json.ts";
import type { LoadedSpec } from "../spec/load.ts";

export const STEP_KINDS = ["extract", "format", "configure", "submit", "monitor"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** What a step may use of the world. Everything is passed in, so that tests own it. */
export interface StepEnv {
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
  /** What is going on, in a few words: "converting the base", "training". */
  readonly phase: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** Numbers worth showing: loss, tokens_per_second, learning_rate, … */
  readonly metrics?: { readonly [name: string]: number };
  /** A sentence to print once, such as a warning. */
  readonly message?: string;
}

export interface StepContext extends StepEnv {
  readonly loaded: LoadedSpec;
  /** This step's key: lower-case hex sha256. */
  readonly key: string;
  readonly runId: string;
  readonly runDir: string;
  /** An empty folder of this attempt. What stands in it when `run` returns is the step's output. */
  readonly out: string;
  /** The finished output folder of an earlier step. */
  input(kind: StepKind): string;
  /** What this step committed through `submitted` before an interruption, if it did. */
  readonly job: JobRef | undefined;
  /** The job the submit step left (for monitor). */
  submittedJob(): JobRef;
  /** Makes durable that a job exists, before anything else happens. */
  submitted(job: JobRef): Promise<void>;
  progress(progress: Progress): void;
  /** Aborted when the user leaves or the process is told to stop. */
  readonly signal: AbortSignal;
}

export interface StepOutcome {
  /** What the step found, for `show` and the terminal: small, without secrets. */
  readonly summary: JsonObject;
}

/**
 * One step of a pipeline. It reads `input()`, writes `out`, and knows nothing of runs and their log.
 * Failing is throwing a TemperError.
 */
export interface Step {
  readonly kind: StepKind;
  /** Raised when the same inputs give another output than before. Part of the key. */
  readonly version: number;
  /** Whether the output is stored by key and found again. submit and monitor are not: their job is adopted. */
  readonly cached: boolean;
  /**
   * What the output depends on, besides the step before: resolved parameters and input digests.
   * No paths, times, environment or secrets. Reads files, writes and starts nothing.
   */
  inputs(loaded: LoadedSpec, env: StepEnv): Promise<JsonObject>;
  run(context: StepContext): Promise<StepOutcome>;
}
