import type { Clock } from "../lib/clock.ts";
import type { TemperErrorOptions } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import type { EngineSection } from "../spec/schema/schema_engine.ts";

/** What engines take of their surroundings. */
export interface EngineEnv {
  readonly fs: Fs;
  readonly clock: Clock;
  /** Environment variables, read once by the command line. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A step that starts or follows a job, as engines see it. */
export interface EngineWork extends EngineEnv {
  /** Aborted when the user leaves: throw its reason; the job goes on. */
  readonly signal: AbortSignal;
  progress(progress: EngineProgress): void;
  /** What `record` wrote down in this step, before any interruption, oldest first. */
  readonly records: readonly JsonObject[];
  /** Makes a fact durable: that a job is about to be sent. `engine` in it names the engine, for `cancel`. */
  record(record: JsonObject & { readonly engine: string }, progress: EngineProgress): Promise<void>;
}

export interface EngineProgress {
  readonly phase: string;
  readonly done?: number;
  readonly total?: number;
  readonly unit?: string;
  /** A sentence to print once. */
  readonly message?: string;
}

/** A training to run: the same command on each worker. */
export interface Training<Section extends EngineSection = EngineSection> {
  /** Absolute path of the job folder. */
  readonly dir: string;
  /** Id of the run, which is how its job is found again. */
  readonly run: string;
  readonly section: Section;
  /** Folder that the section's relative paths start from. */
  readonly from: string;
  /** How a worker is started. May install the environment, so it is asked for when it is needed. */
  command(): Promise<TrainerCommand>;
}

export interface TrainerCommand {
  /** Absolute path of Python. */
  readonly program: string;
  readonly args: readonly string[];
  /** All variables that the trainer needs and may see. */
  readonly env: Readonly<Record<string, string>>;
}

/** A job in its engine's words: JSON, without secrets. `engine` is missing in that of `local`. */
export type EngineJob = JsonObject & { readonly engine?: string };

/** What an engine says about its job, for the log, `show` and the page. */
export type EngineStatus = {
  readonly kind: string;
  /** Its id there. */
  readonly job: string;
  /** In the engine's own words: PENDING, RUNNING, … */
  readonly state: string;
  /** Why it waits, in the engine's words. */
  readonly reason?: string;
  /** Its place among those that wait, from 1, and how many they are. */
  readonly place?: readonly [place: number, waiting: number];
  /** As the engine writes a list of nodes: n[1-2]. */
  readonly nodes?: string;
  readonly workers?: number;
};

/** What a job does now. */
export type JobState =
  | { readonly at: "queued"; readonly status: EngineStatus; readonly message?: string }
  | { readonly at: "running"; readonly status?: EngineStatus; readonly message?: string }
  | Ended;

/** No process works on the training any more. Whether it is done, result.json in the job folder says. */
export interface Ended extends Pick<TemperErrorOptions, "hint"> {
  readonly at: "ended";
  readonly status?: EngineStatus;
  /** A sentence without its period, if there is no result: "the trainer was killed by SIGKILL without a result". */
  readonly what: string;
  /** Code of the error. @default trainer-failed */
  readonly code?: string;
  /** Of the trainer, where it is known. */
  readonly exitCode?: number;
  /** Starting it again may help: `restart` does. */
  readonly again: boolean;
}

/** Follows a job. Asked about once a second; how often it asks the cluster is its own matter. */
export interface Follower {
  state(): Promise<JobState>;
  /** Starts the training again after an end with `again`. */
  restart(): Promise<void>;
  /** Told once to wake whoever waits as soon as something may have changed. */
  onChange(wake: () => void): void;
}

/** What `doctor` is told about an engine. `missing`: no job can be sent. */
export type EngineFinding = {
  readonly state: "ok" | "warn" | "missing";
  readonly found: string;
  /** The command or the sentence that fixes it. */
  readonly fix?: string;
};

/** Where trainer processes run. */
export interface Engine {
  /** The script or the request that would be sent, for `plan`; `undefined`: nothing is. Starts and writes nothing. */
  describe(training: Training, env: EngineEnv): Promise<string | undefined>;
  /** The job that exists for this training: an earlier runner may have been killed before it could say so. */
  find(training: Training, work: EngineWork): Promise<EngineJob | undefined>;
  /**
   * Starts a job, once, after `find` has found none. What is about to be sent is recorded before; after a failure it
   * looks again for what may have been sent.
   */
  submit(training: Training, work: EngineWork): Promise<EngineJob>;
  follow(job: EngineJob, training: Training, work: EngineWork): Follower;
  /**
   * Ends the job for good; returns when no process of it is left. `records`: those of a submission that was never
   * committed, so that a job may or may not exist.
   */
  cancel(
    job: EngineJob & { readonly records?: readonly JsonObject[] },
    dir: string,
    env: EngineEnv,
  ): Promise<void>;
  /** Whether a pipeline's jobs can be sent from here, for `doctor`. `folders`: what workers need to see. Changes nothing. */
  diagnose?(
    section: EngineSection,
    env: EngineEnv,
    signal: AbortSignal,
    folders: readonly string[],
  ): Promise<EngineFinding>;
}
