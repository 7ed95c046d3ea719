import { join } from "../deps/path.ts";
import { EXIT, type ExitCode, type TemperError } from "../lib/errors.ts";
import { explainSystemError } from "../lib/system_error.ts";
import { LogWriter } from "../log/log_writer.ts";
import type { LogEvent } from "../log/events.ts";
import { isTerminal, type RunState, stopped } from "../log/run_state.ts";
import type { Plan } from "../plan/plan.ts";
import type { Env, JobRef, Setting } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Step, StepKind } from "../steps/step.ts";
import { jobToCancel } from "./cancel.ts";
import { type Control, RunControl } from "./run_control.ts";
import { type ActiveRun, decide } from "./active_run.ts";
import { CANCEL_FILE, PIPELINE_FILE, readPlan } from "./run_folder.ts";
import { planSteps } from "./plan_steps.ts";
import { runSteps } from "./run_steps.ts";
import { claimRun } from "./claim_run.ts";

/** The process that drives a run. */
export interface Driver {
  readonly host: string;
  readonly pid: number;
  /** Version of temper. */
  readonly version: string;
}

export interface DriveOptions {
  readonly loaded: LoadedSpec;
  readonly steps: readonly Step[];
  readonly env: Env;
  /** Absolute. */
  readonly runsDir: string;
  /** Always start a new run. */
  readonly fresh?: boolean;
  /** Id of the run to resume. */
  readonly resume?: string | undefined;
  /** Resume although another host drove the run last. */
  readonly takeover?: boolean;
  readonly driver: Driver;
  readonly control: Control;
  /** The plan, where it is known already. @default that of the steps, asked now */
  readonly plan?: Plan<StepKind> | undefined;
  /** What the provider knows of its settings, for a run that is made. @default nothing */
  settings?(): Promise<readonly Setting[]>;
  /** Stops a job. Returns when it no longer runs. */
  cancelJob(job: JobRef, runDir: string): Promise<void>;
  onEvent?(event: LogEvent, state: RunState): void;
  /** Told once it is known which run this is, before its first event. `sentence`: why it is not another one. */
  onRun?(
    run: { readonly id: string; readonly dir: string },
    sentence: string | undefined,
  ): Promise<void> | void;
}

export interface RunOutcome {
  readonly id: string;
  readonly dir: string;
  /** `reported`: the run had already ended and nothing was done. */
  readonly did: "started" | "resumed" | "reported";
  readonly state: RunState;
  /** Why a failed run failed. */
  readonly error: TemperError | undefined;
  readonly exitCode: ExitCode;
}

/**
 * Runs a pipeline, or resumes its latest run of the same plan.
 *
 * Done, failed, interrupted and cancelled are outcomes. Throws when no run could be driven: another process
 * drives it, the command is wrong, or its folder cannot be written.
 */
export async function runPipeline(options: DriveOptions): Promise<RunOutcome> {
  const plan = options.plan ?? await planSteps(options.loaded, options.steps, options.env);
  options.control.interrupt.throwIfAborted();
  const { loaded, env, runsDir, fresh = false, resume, takeover = false, driver } = options;
  const settings = options.settings && (() => options.settings!());
  const { host } = driver;
  const taken = await claimRun(loaded, env, { runsDir, plan, resume, fresh, host, takeover, settings });
  const { id, dir } = taken;
  try {
    await options.onRun?.({ id, dir }, taken.notice);
    if (!taken.lock) {
      return { id, dir, did: "reported", state: taken.state, error: undefined, exitCode: EXIT.ok };
    }
    return await driveLocked(options, plan, id, dir);
  } catch (error) {
    throw explainSystemError(`Cannot drive run "${id}"`, error);
  } finally {
    taken.lock?.release();
  }
}

async function driveLocked(
  options: DriveOptions,
  plan: Plan<StepKind>,
  id: string,
  dir: string,
): Promise<RunOutcome> {
  const { loaded, steps, env, onEvent } = options;
  const log = await LogWriter.open(env.fs, dir, env.clock);
  const control = new RunControl(options.control, env.clock);
  const run: ActiveRun = {
    id,
    dir,
    loaded,
    steps,
    plan,
    env,
    log,
    control,
    onEvent: (event, state) => onEvent?.(event, state),
  };
  const did = log.state.seq === 0 ? "started" : "resumed";
  try {
    await control.watch(env.fs, dir);
    await open(run, options.driver);
    const error = await driveOrStop(run, options);
    return outcomeOf(run, did, error);
  } finally {
    control.stop();
    await log.close();
  }
}

/** This runner's first event: the run started or resumed. */
async function open(run: ActiveRun, { host, pid, version }: Driver): Promise<void> {
  if (run.log.state.seq > 0) {
    return await decide(run, { type: "run.resumed", torn: run.log.torn, host, pid, version });
  }
  const { spec, path = join(run.dir, PIPELINE_FILE) } = run.loaded;
  const number = (await readPlan(run.env.fs, run.dir))?.number;
  await decide(run, {
    type: "run.started",
    run: run.id,
    name: spec.name,
    method: spec.method.kind,
    provider: spec.provider.kind,
    pipeline: path,
    planHash: run.plan.hash,
    ...number !== undefined && { number },
    steps: run.plan.steps.map(({ kind, key }) => ({ kind, key })),
    host,
    pid,
    version,
  });
}

async function driveOrStop(run: ActiveRun, options: DriveOptions): Promise<TemperError | undefined> {
  const { control, log } = run;
  try {
    return await runSteps(run);
  } catch (error) {
    if (!control.signal.aborted) throw error;
    if (log.state.job && !isTerminal(log.state)) await control.window();
    if (!control.cancel.aborted || isTerminal(log.state)) return undefined;
    await options.cancelJob(jobToCancel(log.state), run.dir);
    await decide(run, { type: "run.cancelled" });
    await run.env.fs.remove(join(run.dir, CANCEL_FILE));
    return undefined;
  }
}

function outcomeOf(run: ActiveRun, did: RunOutcome["did"], error: TemperError | undefined): RunOutcome {
  const { id, dir, log } = run;
  const state = isTerminal(log.state) ? log.state : stopped(log.state, "interrupted");
  return { id, dir, did, state, error, exitCode: exitCodeOf(state, error) };
}

function exitCodeOf(state: RunState, error: TemperError | undefined): ExitCode {
  if (error) return error.exitCode;
  if (state.state === "done") return EXIT.ok;
  return state.state === "interrupted" ? EXIT.interrupted : EXIT.failed;
}
