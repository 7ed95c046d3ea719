import type { JsonObject } from "../lib/json/json.ts";
import type { Env, JobRef, JobResult, Work } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";

export const STEP_KINDS = ["extract", "format", "configure", "submit", "monitor"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/**
 * One attempt at one step, and what the steps before it left.
 *
 * @example
 * ```ts
 * const reportOf = ({ fs, input }: StepContext) => fs.readText(`${input("format")}/report.json`);
 * console.log(reportOf.length);
 * ```
 */
export interface StepContext extends Work {
  /** The finished output folder of an earlier step. */
  input(kind: StepKind): string;
  /** The job this run has committed through `submitted`, if it has. */
  readonly job: JobRef | undefined;
  /** Makes durable that a job exists, before anything else happens. */
  submitted(job: JobRef): Promise<void>;
}

/** What the steps need that read the data. */
export type DataContext = Pick<
  StepContext,
  "fs" | "clock" | "cacheDir" | "env" | "providers" | "loaded" | "out" | "signal" | "progress" | "input"
>;

/**
 * What a step found.
 *
 * @example
 * ```ts
 * const outcome: StepOutcome = { summary: { rows: 7 } };
 * ```
 */
export interface StepOutcome {
  /** What the step found, for `show` and the terminal: small, without secrets. */
  readonly summary: JsonObject;
  /** The run's result, from the step that has it: the `metrics` and `artifacts` of `show`. */
  readonly result?: JobResult;
}

/**
 * One step of a pipeline. It reads `input()`, writes `out`, and knows neither runs nor their log.
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
  inputs(loaded: LoadedSpec, env: Env): Promise<JsonObject>;
  run(context: StepContext): Promise<StepOutcome>;
}

/**
 * A custom step that replaces one of temper's.
 *
 * @example
 * ```ts
 * const warehouse = (rows: string): StepExtension => ({
 *   name: "warehouse",
 *   version: 1,
 *   cached: true,
 *   inputs: () => Promise.resolve({ rows }),
 *   async run({ fs, out }) {
 *     await fs.writeAtomic(`${out}/rows.jsonl`, rows);
 *     return { summary: {} };
 *   },
 * });
 * console.log(warehouse.length);
 * ```
 */
export interface StepExtension extends Omit<Step, "kind"> {
  /** Tells its outputs from those of temper's step, and of others. */
  readonly name: string;
}

/**
 * Custom steps, by the step they replace.
 *
 * @example
 * ```ts
 * const stepsOf = (extract: StepExtension): StepExtensions => ({ extract });
 * console.log(stepsOf.length);
 * ```
 */
export type StepExtensions = { readonly [kind in StepKind]?: StepExtension };
