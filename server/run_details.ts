import { basename, isAbsolute, join, relative } from "node:path";
import type { Clock } from "../src/lib/clock.ts";
import type { Fs } from "../src/lib/fs.ts";
import { eventText } from "../src/log/event_text.ts";
import type { LogEvent, UnknownEvent } from "../src/log/events.ts";
import { foldLog } from "../src/log/fold_log.ts";
import { EVENTS_FILE, isDriven } from "../src/log/liveness.ts";
import { type NextCommand, nextCommands, type Place } from "../src/log/next_commands.ts";
import type { RunState } from "../src/log/state.ts";
import { type Liveness, lookAt, seenWith } from "./liveness.ts";

/** Lines of the log a page shows. */
const LOG_LINES = 200;

/** Where the runs lie, in the words of whoever started the server. */
export interface Where {
  /** As it was typed, for commands to copy. */
  readonly runs: string;
  /** Absolute folder the server was started in. */
  readonly cwd: string;
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

export interface LogEntry {
  /** ISO time. */
  readonly t: string;
  readonly type: string;
  readonly text: string;
}

/** The run in a folder as of now; undefined when none was started there. */
export async function viewRun(
  { fs, clock, where }: { readonly fs: Fs; readonly clock: Clock; readonly where: Where },
  id: string,
  dir: string,
): Promise<RunView | undefined> {
  // Asked before reading: a runner that ends in between leaves its last event to be read.
  const driven = await isDriven(fs, dir);
  const log = new LastEvents(LOG_LINES);
  const { state: folded, end } = await foldLog(
    fs,
    join(dir, EVENTS_FILE),
    undefined,
    (event, state) => log.push(event, state),
  );
  if (folded.seq === 0) return undefined;
  const live = { ...await lookAt(fs, clock, dir, folded), driven };
  const state = seenWith(folded, live);
  const next = nextCommands(state, await placeOf(fs, where, id, dir, state));
  return { id, dir, state, live, end, next, log: log.entries() };
}

/** The last events with the states they led to, which their words need. */
class LastEvents {
  #kept: { readonly event: LogEvent | UnknownEvent; readonly state: RunState }[] = [];

  constructor(private readonly most: number) {}

  push(event: LogEvent | UnknownEvent, state: RunState): void {
    this.#kept.push({ event, state });
    if (this.#kept.length >= 2 * this.most) this.#kept = this.#kept.slice(-this.most);
  }

  entries(): LogEntry[] {
    return this.#kept.slice(-this.most).map(({ event, state }) => ({
      t: event.t,
      type: event.type,
      text: eventText(event, state, PLAIN),
    }));
  }
}

const same = (text: string) => text;
const PLAIN = { bold: same, dim: same, good: same, bad: same, warn: same };

/** The run as its user would name it on the command line. */
async function placeOf(
  fs: Fs,
  { runs, cwd }: Where,
  id: string,
  dir: string,
  state: RunState,
): Promise<Place> {
  const cell = await cellOf(fs, dir);
  const near = isAbsolute(state.pipeline) ? relative(cwd, state.pipeline) : state.pipeline;
  return {
    dir: join(runs, id),
    file: near === "" || near.startsWith("..") ? state.pipeline : near,
    options: runs === "runs" ? [] : ["--runs", runs],
    runOptions: cell === undefined ? [] : ["--cell", cell],
  };
}

/** Which combination of its file's matrix the run is. */
async function cellOf(fs: Fs, dir: string): Promise<string | undefined> {
  try {
    const { cell } = JSON.parse(await fs.readText(join(dir, "plan.json")));
    return typeof cell === "string" ? cell : undefined;
  } catch {
    // The page says more about a run without a plan than nothing.
    return undefined;
  }
}

/** The folder of a step's output, from the order of the steps. */
export function stepFolder(state: RunState, kind: string): string | undefined {
  const at = state.steps.findIndex((step) => step.kind === kind);
  return at < 0 ? undefined : join("steps", `${at + 1}-${basename(kind)}`);
}
