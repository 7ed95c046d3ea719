import { join } from "../deps/path.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { readLog } from "./read.ts";
import { isTerminal, type RunState, stopped } from "./state.ts";

export const EVENTS_FILE = "events.jsonl";
export const LOCK_FILE = "lock";

/** Whether a process drives the run now. The kernel knows; a process id would not. */
export function isDriven(fs: ReadFs, runDir: string): Promise<boolean> {
  return fs.isLocked(join(runDir, LOCK_FILE));
}

/** The state as a person should see it: `interrupted` when it is unfinished and nobody drives it. */
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
    const dir = join(runsDir, id);
    const started = await firstTime(fs, join(dir, EVENTS_FILE));
    if (started !== undefined) entries.push({ id, dir, started });
  }
  return entries.sort((a, b) => order(b.started, a.started) || order(b.id, a.id));
}

async function firstTime(fs: ReadFs, path: string): Promise<string | undefined> {
  if (!(await fs.stat(path))?.isFile) return undefined;
  const bytes: Uint8Array[] = [];
  for await (const chunk of fs.readStream(path)) {
    const end = chunk.indexOf(10);
    bytes.push(end === -1 ? chunk : chunk.subarray(0, end));
    if (end !== -1) {
      return timeIn(new TextDecoder().decode(await new Blob(bytes as BlobPart[]).arrayBuffer()));
    }
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
