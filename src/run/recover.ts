import { join } from "../deps/path.ts";
import { LockedError, TemperError, UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { readRun } from "../log/read_run.ts";
import { isTerminal, type RunState } from "../log/run_state.ts";
import { changedParts } from "../plan/key.ts";
import type { Plan } from "../plan/plan.ts";
import { type EarlierRun, earlierRuns } from "./run_folder.ts";
import { lockRun } from "./lock.ts";

/** What to do about a pipeline, given the existing runs. `notice` gives the reason, if there is one to show. */
export type Choice =
  | { readonly kind: "report"; readonly run: EarlierRun; readonly state: RunState }
  | { readonly kind: "resume"; readonly run: EarlierRun }
  | { readonly kind: "start"; readonly notice?: string };

export interface RecoverOptions {
  readonly runsDir: string;
  readonly name: string;
  readonly plan: Plan;
  /** Id of the run that must be the one to resume. */
  readonly resume: string | undefined;
  readonly fresh: boolean;
  readonly host: string;
  readonly takeover: boolean;
}

/** Others wait meanwhile to decide, so a run that seems to be driven is not looked at for long. */
const LOOK_AGAIN_MS = 200;

/** Finds the latest run of the same plan and decides: report it, resume it, or start a new one. */
export async function recover(fs: Fs, options: RecoverOptions): Promise<Choice> {
  if (options.fresh) return { kind: "start" };
  const runs = await earlierRuns(fs, options.runsDir, options.name);
  if (options.resume !== undefined) return resumeNamed(fs, runs, options.resume, options);
  const same = runs.find((run) => run.plan.hash === options.plan.hash);
  if (same) return chooseFor(fs, same, options);
  const [latest] = runs;
  return latest
    ? { kind: "start", notice: await changedNotice(fs, latest, options.plan) }
    : { kind: "start" };
}

/** Refuses a run that another machine drove last: its lock may not be visible from here. */
export function refuseOtherHost(state: RunState, host: string, takeover: boolean): void {
  if (takeover || state.host === host) return;
  throw new LockedError(
    `Cannot take over run "${state.id}": it was last driven from host "${state.host}", this is "${host}"`,
    { hint: `Make sure that nothing drives it on "${state.host}", then add --takeover` },
  );
}

/** Which part of which step makes two plans differ, in one sentence; `undefined` when none does. */
export function changeBetween(
  before: EarlierRun["plan"],
  after: Plan,
): { readonly step: string; readonly path: string } | undefined {
  for (const [index, step] of after.steps.entries()) {
    const old = before.steps[index];
    if (old?.key === step.key) continue;
    const [change] = changedParts(old?.parts, step.parts);
    return { step: step.kind, path: change?.path ?? "" };
  }
  return undefined;
}

async function chooseFor(fs: Fs, run: EarlierRun, options: RecoverOptions): Promise<Choice> {
  const state = await readRun(fs, run.dir);
  // Made, but killed before its first event.
  if (!state) return { kind: "resume", run };
  if (state.state === "running") {
    (await lockRun(fs, run.id, run.dir, LOOK_AGAIN_MS)).release();
    return await chooseFor(fs, run, options);
  }
  if (state.state === "done") {
    const gone = await missingArtifact(fs, run.dir, state);
    return gone === undefined
      ? { kind: "report", run, state }
      : { kind: "start", notice: `Run "${run.id}" has lost its artifact "${gone}": starting a new run` };
  }
  if (isTerminal(state)) {
    return {
      kind: "start",
      notice: `Run "${run.id}" ${
        state.state === "failed" ? "failed" : "was cancelled"
      }: starting a new run, finished steps come from the cache`,
    };
  }
  refuseOtherHost(state, options.host, options.takeover);
  return { kind: "resume", run };
}

async function resumeNamed(
  fs: Fs,
  runs: readonly EarlierRun[],
  id: string,
  options: RecoverOptions,
): Promise<Choice> {
  const run = runs.find((run) => run.id === id);
  if (!run) {
    throw new UsageError(
      "no-such-run",
      `Cannot resume run "${id}": it is not a run of pipeline "${options.name}"`,
      {
        hint: "List the runs with: `temper runs`",
      },
    );
  }
  const change = changeBetween(run.plan, options.plan);
  if (change) {
    throw new UsageError(
      "plan-changed",
      `Cannot resume run "${id}": step "${change.step}" changed since (${change.path})`,
      { hint: "Start a new run: `temper run FILE`" },
    );
  }
  const choice = await chooseFor(fs, run, options);
  if (choice.kind !== "start") return choice;
  throw new TemperError("not-resumable", `Cannot resume run "${id}": it has ended`, {
    hint: "Start a new run: `temper run FILE` takes finished steps from the cache",
  });
}

async function changedNotice(fs: Fs, run: EarlierRun, plan: Plan): Promise<string> {
  const change = changeBetween(run.plan, plan);
  const what = change ? `step "${change.step}": ${change.path}` : "its steps";
  const state = await readRun(fs, run.dir);
  const left = state?.job !== undefined && !isTerminal(state)
    ? `; its training may still be running: \`temper resume ${run.id}\` goes on with it, ` +
      `\`temper cancel ${run.id}\` stops it`
    : "";
  return `Pipeline file or data changed since run "${run.id}" (${what}): starting a new run${left}`;
}

async function missingArtifact(fs: Fs, dir: string, state: RunState): Promise<string | undefined> {
  for (const { path } of state.artifacts) if (!await fs.stat(join(dir, path))) return path;
  return undefined;
}
