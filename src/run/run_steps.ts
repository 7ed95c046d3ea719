import { join } from "../deps/path.ts";
import type { TemperError } from "../lib/errors.ts";
import { oneAtATime } from "../lib/one_at_a_time.ts";
import { explainError, isMachineFault } from "../lib/system_error.ts";
import { attempt } from "./attempt.ts";
import { type CacheHit, findCached, rememberOutputs, STORE } from "./cache.ts";
import { type ActiveRun, type ActiveStep, decide, note, stateOf } from "./active_run.ts";
import { ATTEMPTS, stepDir } from "./run_folder.ts";
import { linkOutputs, missing, replaceDir } from "./outputs.ts";
import { retryDelay } from "../lib/retry.ts";
import type { ErrorInfo } from "../log/events.ts";

/** Longest message or hint that is kept: an error must always fit into an event. */
const CHARS = 4_000;

/**
 * Drives a run to its end: every step in order, finished ones left alone, known outputs taken from the cache.
 *
 * Returns the error when a step failed. Throws the signal's reason when the run was told to stop, what the machine
 * refused, and an error that leaves the run open; then the log has no end, and the next runner resumes.
 */
export async function runSteps(run: ActiveRun): Promise<TemperError | undefined> {
  for (const [index, step] of run.steps.entries()) {
    const planned = run.plan.steps[index];
    if (!planned) throw new RangeError(`Cannot drive run "${run.id}": step "${step.kind}" is not planned`);
    const driven: ActiveStep = { step, planned, dir: stepDir(run.dir, index, step.kind) };
    run.control.signal.throwIfAborted();
    const error = await inTurn(run, driven, () => finish(run, driven));
    if (error) return error;
  }
  await run.env.fs.remove(join(run.dir, ATTEMPTS));
  await decide(run, { type: "run.done" });
  return undefined;
}

/** Runs of one process that need the same output do not make it at the same time: who comes later finds it stored. */
async function inTurn<T>(run: ActiveRun, { planned }: ActiveStep, work: () => Promise<T>): Promise<T> {
  if (!planned.cached) return await work();
  return await oneAtATime(join(run.env.cacheDir, STORE, planned.key), run.control.signal, work);
}

async function finish(run: ActiveRun, driven: ActiveStep): Promise<TemperError | undefined> {
  if (await isFinished(run, driven) || await takeCached(run, driven)) return undefined;
  return await attempts(run, driven);
}

/** A finished step is never redone, unless somebody removed what it left. */
async function isFinished(run: ActiveRun, { step, dir }: ActiveStep): Promise<boolean> {
  const { state, outputs } = stateOf(run, step.kind);
  if (state !== "done") return false;
  const gone = await missing(run.env.fs, dir, outputs);
  if (gone === undefined) return true;
  warn(run, step.kind, `The output of step "${step.kind}" is incomplete (${gone}): running it again`);
  return false;
}

async function takeCached(run: ActiveRun, driven: ActiveStep): Promise<boolean> {
  const { step, planned } = driven;
  if (!planned.cached) return false;
  const found = await findCached(run.env, planned.key);
  if (!found.hit) {
    if (found.damaged) {
      warn(
        run,
        step.kind,
        `The stored output of step "${step.kind}" is damaged (${found.damaged}): running it again`,
      );
    }
    return false;
  }
  try {
    await linkHit(run, driven, found);
  } catch (error) {
    if ((await findCached(run.env, planned.key)).hit) throw error;
    const message = `The stored output of step "${step.kind}" was removed in the meantime: running it again`;
    warn(run, step.kind, message);
    return false;
  }
  const { run: from, outputs, summary, result } = found;
  const { key } = planned;
  await decide(run, {
    type: "step.skipped",
    step: step.kind,
    key,
    from,
    outputs,
    summary,
    ...result && { result },
  });
  return true;
}

async function linkHit(run: ActiveRun, { step, dir }: ActiveStep, hit: CacheHit): Promise<void> {
  const { fs } = run.env;
  const attempts = join(run.dir, ATTEMPTS, step.kind);
  const temporary = join(attempts, "stored");
  await fs.remove(temporary);
  await linkOutputs(fs, hit.dir, temporary, hit.outputs);
  await replaceDir(fs, temporary, dir);
  await fs.remove(attempts);
  await rememberOutputs(run.env, hit);
}

async function attempts(run: ActiveRun, driven: ActiveStep): Promise<TemperError | undefined> {
  const { kind } = driven.step;
  const { clock } = run.env;
  while (true) {
    try {
      await attempt(run, driven);
      return undefined;
    } catch (thrown) {
      // Whatever a step throws after it was asked to stop, it was stopped.
      run.control.signal.throwIfAborted();
      const error = explainError(`Cannot finish step "${kind}"`, thrown);
      if (isMachineFault(error)) {
        // The log has no end: its job may be running, and the same command resumes both.
        warn(run, kind, error.message);
        throw error;
      }
      const { attempt: number, retries } = stateOf(run, kind);
      const { transient, retryAfterMs } = error;
      const random = parseInt(clock.randomHex(4), 16) / 0xffffffff;
      const delayMs = retryDelay({ transient, retryAfterMs, retries, random });
      const info = errorInfo(error);
      if (delayMs === undefined) {
        if (error.staysOpen) {
          warn(run, kind, error.message);
          throw error;
        }
        await decide(run, { type: "step.failed", step: kind, attempt: number, error: info });
        await decide(run, { type: "run.failed", error: info });
        return error;
      }
      await decide(run, { type: "step.retrying", step: kind, attempt: number, delayMs, error: info });
      await clock.sleep(delayMs, run.control.signal);
    }
  }
}

function warn(run: ActiveRun, step: ActiveStep["step"]["kind"], message: string): void {
  note(run, { type: "step.progress", step, phase: "check", message: message.slice(0, CHARS) });
}

/** The part of an error that the log keeps. */
function errorInfo(error: TemperError): ErrorInfo {
  const message = error.message.slice(0, CHARS);
  return { code: error.code, message, ...error.hint !== undefined && { hint: error.hint.slice(0, CHARS) } };
}
