import { basename, isAbsolute, join, relative } from "../src/deps/path.ts";
import { z } from "../src/deps/zod.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { findJson } from "../src/lib/json/json_file.ts";
import { type Liveness, liveRun, lookAt } from "../src/log/liveness.ts";
import { isDriven } from "../src/log/read_run.ts";
import { type Activity, activityOf } from "../src/view/activity.ts";
import { INSTALLED, type Invocation } from "../src/lib/text/invocation.ts";
import {
  cacheWords,
  errorAsCalled,
  type NextCommand,
  nextCommands,
  type Place,
  type Variant,
} from "../src/view/next_commands.ts";
import { type RunTags, seenTags } from "../src/log/run_tags.ts";
import type { RunState } from "../src/log/run_state.ts";
import type { LogEntry, LogStore } from "./log_store.ts";

/** Where commands look for runs unless they are told. */
const DEFAULT_RUNS = "runs";

/** The runs' folder, as given when the server was started. */
export interface Where {
  /** As it was typed, for commands to copy. */
  readonly runs: string;
  /** Absolute folder the server was started in. */
  readonly cwd: string;
  /** How temper was called. @default as an installed program */
  readonly invocation?: Invocation;
}

export interface RunView {
  readonly id: string;
  readonly dir: string;
  readonly state: RunState;
  readonly live: Liveness;
  readonly activity: Activity;
  readonly tags: RunTags;
  /** Byte behind the last event, where following goes on. */
  readonly end: number;
  readonly next: readonly NextCommand[];
  /** The last events in words, newest last. */
  readonly log: readonly LogEntry[];
}

/** The run in a folder as of now; undefined when none was started there. */
export async function viewRun(
  { fs, clock, where, logs }: {
    readonly fs: ReadFs;
    readonly clock: Clock;
    readonly where: Where;
    readonly logs: LogStore;
  },
  id: string,
  dir: string,
): Promise<RunView | undefined> {
  // Asked before reading: a runner that ends in between leaves its last event to be read.
  const driven = await isDriven(fs, dir);
  const { state: folded, end, entries: log } = await logs.view(dir);
  if (folded.seq === 0) return undefined;
  const live = { ...await lookAt(fs, dir, folded), driven };
  const invocation = hereAs(where);
  const { state: now } = await liveRun(fs, dir, folded, live);
  const activity = activityOf(now, live, clock.now());
  const state = { ...now, error: errorAsCalled(now.error, invocation) };
  const next = nextCommands(state, await placeOf(fs, where, id, dir, state), activity);
  return { id, dir, state, live, activity, tags: await seenTags(fs, dir), end, next, log };
}

/** How temper is called for these runs. */
export function hereAs({ runs, invocation = INSTALLED }: Where): Invocation {
  return runs === DEFAULT_RUNS ? invocation : { ...invocation, runs };
}

/** The part of plan.json that says which variant of its file the run is of. */
const variantFile = z.object({
  cell: z.string().optional(),
  set: z.array(z.string()).optional(),
  setMasked: z.boolean().optional(),
  cache: z.object({ dir: z.string(), whole: z.boolean() }).optional(),
});

/** The run as its user would name it on the command line. */
async function placeOf(
  fs: ReadFs,
  { runs, cwd, invocation = INSTALLED }: Where,
  id: string,
  dir: string,
  state: RunState,
): Promise<Place> {
  const variant = await variantOf(fs, dir);
  const near = isAbsolute(state.pipeline) ? relative(cwd, state.pipeline) : state.pipeline;
  return {
    invocation,
    dir: join(runs, id),
    file: near === "" || near.startsWith("..") ? state.pipeline : near,
    options: runs === DEFAULT_RUNS ? [] : ["--runs", runs],
    variant,
    runOptions: cacheWords(variant),
  };
}

async function variantOf(fs: ReadFs, dir: string): Promise<Variant> {
  try {
    return await findJson(join(dir, "plan.json"), variantFile, fs) ?? {};
  } catch {
    // The page says more about a run without a plan than nothing.
    return {};
  }
}

/** The folder of a step's output, from the order of the steps. */
export function stepFolder(state: RunState, kind: string): string | undefined {
  const at = state.steps.findIndex((step) => step.kind === kind);
  return at < 0 ? undefined : join("steps", `${at + 1}-${basename(kind)}`);
}
