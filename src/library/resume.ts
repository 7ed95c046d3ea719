import { dirname, join } from "../deps/path.ts";
import { EXIT, TemperError, UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { shellWord } from "../lib/text/shell_word.ts";
import { isTerminal, type RunState } from "../log/run_state.ts";
import { changedParts } from "../plan/key.ts";
import type { Plan } from "../plan/plan.ts";
import type { Env } from "../providers/provider.ts";
import { providerFor } from "../providers/registry.ts";
import { lockRun } from "../run/lock.ts";
import { missing } from "../run/outputs.ts";
import { planSteps } from "../run/plan_steps.ts";
import { PIPELINE_FILE, pipelineCopy, type PlanFile, readPlan, stepDir } from "../run/run_folder.ts";
import { type LoadedSpec, loadSpec } from "../spec/load.ts";
import { MASKED_NOTE } from "../spec/read.ts";
import { ownNameIn, stepsWith } from "../steps/registry.ts";
import type { StepKind } from "../steps/step.ts";
import { isDefinedInCode, SECRET_SET } from "../view/next_commands.ts";
import { scoresOf } from "../view/scores.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { findRun } from "./find_run.ts";
import { loadingOf } from "./load_pipeline.ts";
import { worldOf } from "./options.ts";
import { readRun } from "./read_run.ts";
import { drive, type DrivingOptions, refuseContradictions, type RunResult } from "./run.ts";

/** Steps that only make examples of the rows: once they are done, the rows' files are not needed any more. */
const DATA_STEPS: readonly StepKind[] = ["extract", "format"];

/** Parts of configure's key that are those of another version of temper where they differ. */
const OF_TEMPER = ["version", "inputs.trainer", "inputs.templates"];

/**
 * How a run is resumed. What it is made of is known.
 *
 * @example
 * ```ts
 * const options: ResumeOptions = { runsDir: "/srv/models/runs", takeover: true };
 * ```
 */
export type ResumeOptions = Omit<DrivingOptions, "set" | "cell" | "memory">;

/**
 * Goes on with a run, without its pipeline file and from any folder: with the values, the combination of a matrix and
 * the cache that it was made with. A training that is still running is followed, one that died goes on from its latest
 * checkpoint, and nothing is trained twice. A finished run is reported. One that failed or was cancelled has ended:
 * then its pipeline is run, as `run` would. Steps and providers of your own are passed in as to `run`.
 *
 * @param run an id, the beginning of one, or "last"
 * @throws {TemperError} when there is no such run, another process drives it, or its folder does not hold what it needs
 * @throws {SpecError} when files that are still needed are gone
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resume } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * await assert.rejects(resume("last", { runsDir }), { code: "no-runs" });
 * await Deno.remove(runsDir);
 * ```
 */
export async function resume(run: string, given: ResumeOptions = {}): Promise<RunResult> {
  refuseContradictions(given);
  const { fs, cwd, ...world } = worldOf(given);
  const { id, dir } = await findRun(fs, world.runsDir, run, cwd);
  // A path may lead to another folder of runs: there the run stays.
  const options = { ...given, runsDir: dirname(dir) };
  const state = await stateOf(fs, id, dir, options);
  if (state.state === "done") {
    await options.onRun?.({ id, dir }, undefined);
    const scores = scoresOf(state.metrics);
    return { id, dir, did: "reported", state, error: undefined, exitCode: EXIT.ok, scores };
  }
  const plan = await readPlan(fs, dir);
  if (!plan) {
    throw new TemperError("corrupt-plan", `Cannot resume run "${id}": its folder has no plan.json`, {
      hint: "Restore the file from a backup of the folder",
    });
  }
  const stored: Stored = { id, dir, plan, state, finished: await finishedSteps(fs, dir, state) };
  const { loaded, env } = await load(stored, options);
  if (isTerminal(state)) return await drive(loaded, env, options, {});
  const { rest, notice } = await planRest(stored, loaded, env, options);
  const onRun: ResumeOptions["onRun"] = (run, why) => options.onRun?.(run, why ?? notice);
  return await drive(loaded, env, { ...options, onRun }, { resume: id, plan: rest });
}

/** What the run's folder says of it. */
interface Stored {
  readonly id: string;
  readonly dir: string;
  readonly plan: PlanFile;
  readonly state: RunState;
  readonly finished: ReadonlySet<string>;
}

/** Throws a LockedError where another process drives the run. */
async function stateOf(fs: Fs, id: string, dir: string, options: ResumeOptions): Promise<RunState> {
  const state = await readRun(id, options);
  if (state.state !== "running") return state;
  (await lockRun(fs, id, dir)).release();
  return await stateOf(fs, id, dir, options);
}

/** Steps whose output is there. None of a run that has ended: it is another run that goes on. */
async function finishedSteps(fs: Fs, dir: string, state: RunState): Promise<ReadonlySet<string>> {
  const finished = new Set<string>();
  if (isTerminal(state)) return finished;
  for (const [index, { kind, state: status, outputs }] of state.steps.entries()) {
    const gone = status === "done" ? await missing(fs, stepDir(dir, index, kind), outputs) : kind;
    if (gone === undefined) finished.add(kind);
  }
  return finished;
}

async function load(stored: Stored, options: ResumeOptions) {
  const { plan, finished, state } = stored;
  const { cell, set = [] } = plan;
  const { fs } = worldOf(options);
  const given = { ...options, set, ...cell !== undefined && { cell } };
  const pipeline = await pipelineOf(stored, fs, options);
  const loading = await loadingOf(pipeline, given);
  const { inspect, ...rest } = loading.options;
  // Of a program's own, one says so better than a file that does not know it.
  await providerFor(state.provider, loading.env);
  const env = await withCacheOf(plan, loading.env, options);
  const found = await loadSpec(pipeline, fs, {
    ...rest,
    files: !finished.has("extract"),
    // What was prepared fits this machine, or was forced to.
    ...inspect && !finished.has("configure") && { inspect },
  });
  if (!found.ok) {
    const { SpecError } = await import("../spec/spec_error.ts");
    const what = `the pipeline of run "${stored.id}", whose paths start from "${pipeline.dir}"`;
    throw new SpecError(what, found.problems);
  }
  const { loaded } = found;
  return { loaded: isDefinedInCode(state) ? loaded : { ...loaded, path: state.pipeline }, env };
}

/** The pipeline as it was: the run's copy, or its file where keys are masked in the copy. */
async function pipelineOf(
  { id, dir, plan, state }: Stored,
  fs: Fs,
  options: ResumeOptions,
): Promise<Pipeline> {
  const inCode = isDefinedInCode(state);
  const refuse = (why: string, hint: string) =>
    new UsageError("not-kept", `Cannot resume run "${id}": ${why}`, {
      hint: inCode ? "Run the program that defines it again" : hint,
    });
  if (plan.setMasked) {
    throw refuse(
      SECRET_SET,
      `Repeat the command that started it: \`temper run ${shellWord(state.pipeline)} --set …\``,
    );
  }
  const copy = join(dir, PIPELINE_FILE);
  if (!await fs.stat(copy)) throw refuse(`"${copy}" is gone`, "Restore it from a backup of the folder");
  const text = await fs.readText(copy);
  const from = { name: copy, dir: plan.dir ?? dirname(state.pipeline), providers: {} };
  if (!text.startsWith(MASKED_NOTE)) return { ...from, text };
  const file = !inCode && await fs.stat(state.pipeline) ? await fs.readText(state.pipeline) : undefined;
  const { env = Deno.env.toObject() } = options;
  if (file !== undefined && pipelineCopy(file, env) === text) return { ...from, text: file };
  throw refuse(
    `what looks like a key is masked in its copy of the pipeline file`,
    `Restore "${state.pipeline}" as it was, or put back what is masked in "${copy}" and remove its first line`,
  );
}

/** The cache that the run was made with, unless another one is asked for, or its folder is not on this machine. */
async function withCacheOf({ cache }: PlanFile, env: Env, { cacheDir }: ResumeOptions): Promise<Env> {
  if (!cache || cacheDir !== undefined || !await env.fs.stat(dirname(cache.dir))) return env;
  return { ...env, cacheDir: cache.dir, ...cache.whole && { sharedDir: cache.dir } };
}

/** The plan of what is left; what is done is taken as it was planned. `notice`: what to know about it. */
async function planRest(
  { id, plan, state, finished }: Stored,
  loaded: LoadedSpec,
  env: Env,
  options: ResumeOptions,
): Promise<{ readonly rest: Plan<StepKind>; readonly notice?: string }> {
  const steps = stepsWith(options.steps);
  const kept = new Set(DATA_STEPS.filter((kind) => finished.has(kind)));
  const ask = (kept: ReadonlySet<string>) =>
    planSteps(loaded, steps, env, { steps: plan.steps, finished, kept });
  const rest = await ask(kept);
  for (const [i, { kind, parts }] of plan.steps.entries()) {
    const own = ownNameIn(parts);
    if (own === ownNameIn(rest.steps[i]!.parts)) continue;
    const what = own === undefined ? "temper's own" : `the step "${own}" of a program`;
    throw new UsageError("plan-changed", `Cannot resume run "${id}": its step "${kind}" is ${what}`, {
      hint: own === undefined ? "Leave out your own" : "Run that program again",
    });
  }
  const started = state.job !== undefined && finished.has("configure");
  if (!started || !isOnlyNewer(plan, rest)) return { rest };
  const notice = `Run "${id}" was made with temper ${state.version}, whose trainer differs from this one's`;
  return { rest: await ask(kept.add("configure")), notice };
}

/** Whether nothing but temper itself has changed: a training that it has started goes on all the same. */
function isOnlyNewer(plan: PlanFile, rest: Plan<StepKind>): boolean {
  const now = rest.steps.find(({ kind }) => kind === "configure");
  const before = plan.steps.find(({ kind }) => kind === "configure");
  const changes = changedParts(before?.parts, now?.parts);
  return changes.length > 0 && changes.every(({ path }) => OF_TEMPER.includes(path));
}
