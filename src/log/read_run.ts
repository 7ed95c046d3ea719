import { basename, join } from "../deps/path.ts";
import { readLines } from "../lib/files/lines.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { readLog } from "./read_log.ts";
import { isTerminal, type RunState, stopped } from "./run_state.ts";

export const EVENTS_FILE = "events.jsonl";
export const LOCK_FILE = "lock";

/** Whether a process drives the run now. The kernel knows; a process id would not. */
export function isDriven(fs: ReadFs, runDir: string): Promise<boolean> {
  return fs.isLocked(join(runDir, LOCK_FILE));
}

/** The state to show: `interrupted` when it is unfinished and no process drives it. */
export function seen(state: RunState, driven: boolean): RunState {
  return isTerminal(state) || driven ? state : stopped(state, "interrupted");
}

/** The run in a folder as it is now; `undefined` when no run was started there. */
export async function readRun(fs: ReadFs, runDir: string): Promise<RunState | undefined> {
  // Asked before reading: a runner that ends in between leaves its last event to be read.
  const driven = await isDriven(fs, runDir);
  const { state } = await readLog(fs, join(runDir, EVENTS_FILE));
  return state.seq === 0 ? undefined : seen(state, driven);
}

export interface RunEntry {
  readonly id: string;
  readonly dir: string;
  /** ISO time of the first event. */
  readonly started: string;
}

/** The runs in a folder, newest first. Folders in which no run was started are left out. */
export async function listRuns(fs: ReadFs, runsDir: string): Promise<RunEntry[]> {
  const entries: RunEntry[] = [];
  for (const id of await fs.list(runsDir)) {
    // Being removed.
    if (id.startsWith(".")) continue;
    const entry = await runEntry(fs, join(runsDir, id));
    if (entry) entries.push(entry);
  }
  return entries.sort((a, b) => order(b.started, a.started) || order(b.id, a.id));
}

/** The run in a folder; `undefined` when no run was started there. */
export async function runEntry(fs: ReadFs, dir: string): Promise<RunEntry | undefined> {
  const started = await firstTime(fs, join(dir, EVENTS_FILE));
  return started === undefined ? undefined : { id: basename(dir), dir, started };
}

async function firstTime(fs: ReadFs, path: string): Promise<string | undefined> {
  if (!(await fs.stat(path))?.isFile) return undefined;
  for await (const { lines, terminated } of readLines(fs.readStream(path), { onFault: () => {} })) {
    return terminated ? timeIn(lines[0] as string) : undefined;
  }
  return undefined;
}

/** A first line that cannot be read is listed without a time, so that `show` can say what is wrong with it. */
function timeIn(line: string): string {
  try {
    const { t } = JSON.parse(line);
    return typeof t === "string" ? t : "";
  } catch {
    return "";
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
