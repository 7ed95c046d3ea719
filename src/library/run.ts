import { hostname } from "node:os";
import process from "node:process";
import { dirname } from "../deps/path.ts";
import { InterruptedError, TemperError, UsageError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import type { LogEvent } from "../log/events.ts";
import type { RunState } from "../log/run_state.ts";
import type { Env } from "../providers/provider.ts";
import { providerFor } from "../providers/registry.ts";
import { type DriveOptions, type RunOutcome, runPipeline } from "../run/run_pipeline.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { stepsWith } from "../steps/registry.ts";
import { type Scores, scoresOf } from "../view/scores.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { findRun } from "./find_run.ts";
import { loadingOf, loadPipeline } from "./load_pipeline.ts";
import { type HostedOptions, worldOf } from "./options.ts";
import type { PlanOptions } from "./plan.ts";

/**
 * Options for driving runs.
 *
 * @example
 * ```ts
 * const options: DrivingOptions = {
 *   signal: AbortSignal.timeout(3_600_000),
 *   onEvent: (event, { state }) => console.log(event.type, state),
 * };
 * ```
 */
export interface DrivingOptions extends Omit<PlanOptions, "data">, HostedOptions {
  /** Take a run over from the host that drove it last. Make sure that nothing drives it there. */
  readonly takeover?: boolean;
  /** Leaves the run: its job continues, and running it again resumes both. */
  readonly signal?: AbortSignal;
  /** Cancels the run and its job. */
  readonly cancelSignal?: AbortSignal;
  /** How long a run that was left while its job runs waits for `cancelSignal`. Asked then. @default not at all */
  readonly cancelWindowMs?: () => number;
  /** Called with each event as it is written, and the run's state after it. */
  readonly onEvent?: (event: LogEvent, state: RunState) => void;
  /** Called once the run is known, before its first event. `notice`: why a new run was started. */
  readonly onRun?: (
    run: { readonly id: string; readonly dir: string },
    notice: string | undefined,
  ) => Promise<void> | void;
}

/**
 * How a pipeline is run.
 *
 * @example
 * ```ts
 * const options: RunOptions = { fresh: true, set: ["train.seed=2"] };
 * ```
 */
export interface RunOptions extends DrivingOptions {
  /** Always start a new run; finished steps still come from the cache. */
  readonly fresh?: boolean;
  /** Resume this run only: an id, the start of one, a name, a path, or "last". */
  readonly resume?: string;
}

/**
 * How a run ended. Done, failed, interrupted and cancelled are all outcomes: `state.state` says which it is.
 *
 * @example
 * ```ts
 * const gain = ({ scores }: RunResult) => (scores.after ?? 0) - (scores.before ?? 0);
 * console.log(gain.length);
 * ```
 */
export interface RunResult extends RunOutcome {
  /** The measured scores; undefined where not measured. */
  readonly scores: Scores;
}

/**
 * Runs a pipeline, from a file or defined in code, or resumes its latest run. A finished run of the same pipeline
 * and data is reported, an interrupted one resumed, and anything else starts a new run.
 *
 * @throws {SpecError} when the pipeline cannot be used
 * @throws {TemperError} when no run can be driven: another process drives it, or its folder cannot be written
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { definePipeline, run } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/rows.jsonl`, '{"prompt": "2 + 2"}\n');
 * const pipeline = definePipeline({
 *   version: 1,
 *   name: "sums",
 *   dataset: { source: "rows.jsonl", format: "prompt-completion" },
 *   method: { kind: "lora" },
 *   provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
 * }, { dir });
 * const { state, error } = await run(pipeline, {
 *   cwd: dir,
 *   onEvent: (event) => console.log(event.type),
 * });
 * // A row without its completion is refused before anything is trained.
 * assert.equal(state.state, "failed");
 * assert.equal(error?.code, "data-checks");
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function run(pipeline: string | Pipeline, options: RunOptions = {}): Promise<RunResult> {
  refuseContradictions(options);
  const loading = await loadingOf(pipeline, options);
  const loaded = await loadPipeline(loading);
  const { fs, runsDir, cwd } = worldOf(options);
  const { fresh = false, resume } = options;
  if (resume === undefined) return await drive(loaded, loading.env, options, { fresh, resume });
  const { id, dir } = await findRun(fs, runsDir, resume, cwd);
  // A path may lead to another folder of runs: there the run stays.
  return await drive(loaded, loading.env, { ...options, runsDir: dirname(dir) }, { fresh, resume: id });
}

/** Runs a pipeline that was read. */
export async function drive(
  loaded: LoadedSpec,
  env: Env,
  options: DrivingOptions,
  which: Pick<DriveOptions, "fresh" | "resume" | "plan">,
): Promise<RunResult> {
  const { runsDir } = worldOf(options);
  const { takeover = false, signal, cancelSignal, cancelWindowMs = () => 0, onEvent, onRun } = options;
  const interrupt = linked(signal, (cause) => new InterruptedError("The run was interrupted", { cause }));
  const cancel = linked(
    cancelSignal,
    (cause) => new TemperError("cancelled", "The run was cancelled", { cause }),
  );
  try {
    const outcome = await runPipeline({
      loaded,
      steps: stepsWith(options.steps),
      env,
      runsDir,
      ...which,
      takeover,
      settings: async () => {
        const provider = await providerFor(loaded.spec.provider.kind, env);
        return await provider.settings?.(loaded, env) ?? [];
      },
      driver: { host: hostname(), pid: process.pid, version: VERSION },
      control: { interrupt: interrupt.signal, cancel: cancel.signal, cancelWindowMs },
      cancelJob: async (job, runDir) => await (await providerFor(job.provider, env)).cancel(job, runDir, env),
      ...onEvent && { onEvent },
      ...onRun && { onRun },
    });
    return { ...outcome, scores: scoresOf(outcome.state.metrics) };
  } finally {
    interrupt.unlink();
    cancel.unlink();
  }
}

/** Throws a UsageError about options that contradict each other. */
export function refuseContradictions({ fresh, resume, adopt, createAnyway }: RunOptions): void {
  if (fresh && resume !== undefined) {
    throw new UsageError(
      "bad-option",
      "Cannot use resume together with fresh: resume a run or start a new one",
    );
  }
  if (adopt !== undefined && createAnyway) {
    throw new UsageError(
      "bad-option",
      "Cannot use adopt together with createAnyway: adopt a job or create one",
    );
  }
}

/** A signal that aborts with `given`, and always for a reason that is a TemperError. */
function linked(given: AbortSignal | undefined, reason: (cause: unknown) => TemperError) {
  const own = new AbortController();
  const abort = () => own.abort(given?.reason instanceof TemperError ? given.reason : reason(given?.reason));
  if (given?.aborted) abort();
  else given?.addEventListener("abort", abort, { once: true });
  return { signal: own.signal, unlink: () => given?.removeEventListener("abort", abort) };
}
