import { basename, isAbsolute, join, relative } from "../src/deps/path.ts";
import { z } from "../src/deps/zod.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { findJson } from "../src/lib/json/json_file.ts";
import { isDriven } from "../src/log/read_run.ts";
import { INSTALLED, type Invocation } from "../src/lib/text/invocation.ts";
import {
  errorAsCalled,
  type NextCommand,
  nextCommands,
  type Place,
  type Variant,
} from "../src/view/next_commands.ts";
import type { RunState } from "../src/log/run_state.ts";
import { type Liveness, lookAt, seenWith } from "./liveness.ts";
import type { LogEntry, LogStore } from "./log_store.ts";

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
  const live = { ...await lookAt(fs, clock, dir, folded), driven };
  const { invocation = INSTALLED } = where;
  const now = seenWith(folded, live);
  const state = { ...now, error: errorAsCalled(now.error, invocation) };
  const next = nextCommands(state, await placeOf(fs, where, id, dir, state));
  return { id, dir, state, live, end, next, log };
}

/** The part of plan.json that says which variant of its file the run is of. */
const variantFile = z.object({
  cell: z.string().optional(),
  set: z.array(z.string()).optional(),
  setMasked: z.boolean().optional(),
});

/** The run as its user would name it on the command line. */
async function placeOf(
  fs: ReadFs,
  { runs, cwd, invocation = INSTALLED }: Where,
  id: string,
  dir: string,
  state: RunState,
): Promise<Place> {
  const near = isAbsolute(state.pipeline) ? relative(cwd, state.pipeline) : state.pipeline;
  return {
    invocation,
    dir: join(runs, id),
    file: near === "" || near.startsWith("..") ? state.pipeline : near,
    options: runs === "runs" ? [] : ["--runs", runs],
    variant: await variantOf(fs, dir),
    runOptions: [],
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
