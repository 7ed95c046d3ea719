import { basename, dirname, isAbsolute, join, relative, resolve } from "../deps/path.ts";
import type { Fs } from "../lib/files/fs.ts";
import { findRun, type FoundRun } from "../library/find_run.ts";
import { isKnown } from "../log/events.ts";
import { type Liveness, liveRun, lookAt } from "../log/liveness.ts";
import { EVENTS_FILE, isDriven } from "../log/read_run.ts";
import { readSamples, type Samples } from "../log/predictions.ts";
import { type LogLine, readLog } from "../log/read_log.ts";
import type { RunState } from "../log/run_state.ts";
import { readPlan } from "../run/run_folder.ts";
import { activityOf } from "../view/activity.ts";
import { lossOf } from "../view/progress_text.ts";
import { cacheWords, errorAsCalled, type Place, type Variant } from "../view/next_commands.ts";
import type { ReportParts } from "../ui/run_report.ts";
import { CACHE_OPTION, type CommandContext, type Option, RUNS_OPTION } from "./command.ts";

const PREDICTIONS_FILE = "predictions.jsonl";

/** The run that the first argument means. Where a name has several, says which one it is. */
export async function givenRun(context: CommandContext): Promise<FoundRun> {
  const { fs, cwd, values, positionals: [reference = ""], terminal } = context;
  const found = await findRun(fs, resolve(cwd, values["runs"] as string), reference, cwd);
  if (found.among !== undefined && found.among > 1) {
    terminal.err(`Run ${found.id}: the latest of the ${found.among} runs of "${reference}"\n`);
  }
  return found;
}

/** The run in `dir` and what a report about it needs. `most`: sample rows of each kind. */
export async function viewRun(
  context: CommandContext,
  dir: string,
  most: number,
): Promise<{ readonly state: RunState; readonly live: Liveness; readonly parts: ReportParts }> {
  const { fs, clock } = context;
  // Asked before reading: a runner that ends in between leaves its last event to be read.
  const driven = await isDriven(fs, dir);
  const log = await readLog(fs, join(dir, EVENTS_FILE));
  const live = { ...await lookAt(fs, dir, log.state), driven };
  const { state: now } = await liveRun(fs, dir, log.state, live);
  const state = { ...now, error: errorAsCalled(now.error, context.invocation) };
  const samples = await samplesOf(fs, dir, state, most);
  const place = placeOf(context, dir, state.pipeline, await readPlan(fs, dir) ?? {});
  const activity = activityOf(state, live, clock.now());
  return { state, live, parts: { place, samples, losses: lossesOf(log.lines), activity } };
}

/** The run's folder and file as its user would type them here. */
export function placeOf(
  { cwd, values, invocation }: CommandContext,
  dir: string,
  file: string,
  variant: Variant,
): Place {
  const { runs, cache } = values;
  const here = resolve(cwd, runs as string) === dirname(dir);
  return {
    invocation,
    dir: nearPath(cwd, dir),
    file: nearPath(cwd, file),
    options: here ? unlessDefault("--runs", runs, RUNS_OPTION) : ["--runs", nearPath(cwd, dirname(dir))],
    variant,
    runOptions: cache === undefined ? cacheWords(variant) : unlessDefault("--cache", cache, CACHE_OPTION),
  };
}

/** An option as words, where it is not the default. */
export function unlessDefault(flag: string, value: unknown, option: Option): string[] {
  return typeof value === "string" && value !== option.default ? [flag, value] : [];
}

/** Relative where that is the shorter way to say it. */
function nearPath(cwd: string, path: string): string {
  const short = isAbsolute(path) ? relative(cwd, path) : path;
  return short === "" || short.startsWith("..") ? path : short;
}

async function samplesOf(fs: Fs, dir: string, state: RunState, most: number): Promise<Samples | undefined> {
  const artifact = state.artifacts.find(({ path }) => basename(path) === PREDICTIONS_FILE);
  if (!artifact || most < 1) return undefined;
  const path = join(dir, artifact.path);
  return await fs.stat(path) ? await readSamples(fs, path, most) : undefined;
}

/** Training losses in their order; a resumed training repeats steps, of which the later counts. */
function lossesOf(lines: readonly LogLine[]): number[] {
  const byStep = new Map<number, number>();
  for (const { event } of lines) {
    if (!isKnown(event) || event.type !== "step.progress") continue;
    const loss = lossOf(event.metrics);
    if (loss !== undefined && event.done !== undefined) byStep.set(event.done, loss.value);
  }
  return [...byStep].sort(([a], [b]) => a - b).map(([, loss]) => loss);
}
