import { join } from "../src/deps/path.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { FileStat, ReadFs } from "../src/lib/files/read_fs.ts";
import { TemperError } from "../src/lib/errors.ts";
import { type Folded, foldLog, NOTHING_FOLDED } from "../src/log/fold_log.ts";
import { liveRun, lookAt } from "../src/log/liveness.ts";
import { EVENTS_FILE, newestFirst } from "../src/log/read_run.ts";
import { type Activity, activityOf } from "../src/view/activity.ts";
import { lossOf, type TrainingLoss } from "../src/view/progress_text.ts";
import { seenTags, TAGGED_FILE, taggedIds } from "../src/log/run_tags.ts";
import { isTerminal } from "../src/log/run_state.ts";
import { rowOf, type RunRow, taggedRow, unreadableRow } from "./run_row.ts";

/** Logs that are read at once. */
const PARALLEL = 16;
/** Terminal runs that are looked at again in each scan: whoever edits a finished log is seen in time as well. */
const RECHECKED = 50;

/** What goes on without a new line in the log: a trainer works, a queue moves, a silence grows. */
const MOVING: readonly (Activity | undefined)[] = ["running", "waiting", "stalled", "unattended"];

/** What is known of one folder. */
interface Entry {
  readonly row: RunRow | undefined;
  readonly file: FileStat | undefined;
  /** Kept only while the run is running, so that its next event does not cost reading all of them. */
  readonly folded: Folded | undefined;
  readonly loss: TrainingLoss | undefined;
  /** Its log will not change any more. */
  readonly final: boolean;
}

/**
 * The runs of a folder, newest first. A log is folded once and then again only from where it had grown; a finished
 * one is not even looked at, so that the list costs little more than listing the folder.
 */
export class RunIndex {
  #entries = new Map<string, Entry>();
  #scan: Promise<readonly RunRow[]> | undefined;
  #rows: readonly RunRow[] = [];
  #recheck = 0;
  /** What is known of the runs that were tagged, and the file that says so, as it was. */
  #tagged: ReadonlySet<string> = new Set();
  #taggedFile: FileStat | undefined;

  constructor(
    private readonly fs: ReadFs,
    private readonly clock: Clock,
    readonly runsDir: string,
  ) {}

  /** The runs as of now. Callers that come together share one scan. */
  rows(): Promise<readonly RunRow[]> {
    return this.#scan ??= this.#look().finally(() => this.#scan = undefined);
  }

  /**
   * The folder of a run; undefined unless the listing has that very name. This is the only way from a request to
   * the disk: what a client sends is compared, never joined to a path.
   */
  async find(id: string): Promise<string | undefined> {
    const known = this.#entries.has(id) ? id : (await this.fs.list(this.runsDir)).find((name) => name === id);
    return known === undefined ? undefined : join(this.runsDir, known);
  }

  async #look(): Promise<readonly RunRow[]> {
    const newlyTagged = await this.#newlyTagged();
    const names = await this.fs.list(this.runsDir);
    const due = this.#due(names);
    const tags = [...newlyTagged].filter((name) => this.#entries.has(name) && !due.has(name));
    let changed = names.length !== this.#entries.size;
    const work = [
      ...[...due].map((name) => () => this.#refresh(name)),
      ...tags.map((name) => () => this.#retag(name)),
    ].values();
    const worker = async () => {
      for (const act of work) changed = await act() || changed;
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    if (!changed) return this.#rows;
    this.#forget(new Set(names));
    const rows = [...this.#entries.values()].flatMap(({ row }) => row ? [row] : []);
    return this.#rows = rows.sort(newestFirst);
  }

  /** Every folder that may have changed, and a few of those that should not have. */
  #due(names: readonly string[]): ReadonlySet<string> {
    const due = new Set(names.filter((name) => !this.#entries.get(name)?.final));
    for (let i = 0; i < Math.min(RECHECKED, names.length); i++) {
      const name = names[this.#recheck++ % names.length]!;
      if (this.#entries.get(name)?.final) due.add(name);
    }
    return due;
  }

  #forget(names: ReadonlySet<string>): void {
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
  }

  /** Whether something is different from before. */
  async #refresh(name: string): Promise<boolean> {
    const before = this.#entries.get(name);
    this.#entries.set(name, await this.#entryOf(name, before));
    // Of a run that is seen for the first time the file of the tagged ones tells whether there is something to read.
    if (before !== undefined || this.#tagged.has(name)) await this.#retag(name);
    return this.#entries.get(name)?.row !== before?.row;
  }

  /** The tagged runs, if some were tagged since the last look. */
  async #newlyTagged(): Promise<ReadonlySet<string>> {
    const file = await this.fs.stat(join(this.runsDir, TAGGED_FILE));
    const before = this.#taggedFile;
    if (file === undefined || before !== undefined && isSame(before, file)) return new Set();
    this.#taggedFile = file;
    return this.#tagged = await taggedIds(this.fs, this.runsDir);
  }

  /** Whether its tags are different from before. */
  async #retag(name: string): Promise<boolean> {
    const entry = this.#entries.get(name);
    if (!entry?.row) return false;
    const row = taggedRow(entry.row, await seenTags(this.fs, join(this.runsDir, name)));
    if (row === entry.row) return false;
    this.#entries.set(name, { ...entry, row });
    return true;
  }

  async #entryOf(name: string, before: Entry | undefined): Promise<Entry> {
    const dir = join(this.runsDir, name);
    let file: FileStat | undefined;
    try {
      file = await this.fs.stat(join(dir, EVENTS_FILE));
      if (!file?.isFile) return { row: undefined, file, folded: undefined, loss: undefined, final: false };
      const same = before?.file !== undefined && isSame(before.file, file);
      // An interrupted run that goes on says so in its log first.
      if (same && !MOVING.includes(before.row?.activity ?? undefined)) return before;
      return await this.#read(name, dir, file, before);
    } catch (error) {
      const row = unreadableRow(name, reason(error));
      const unchanged = before?.row?.error === row.error;
      return { row: unchanged ? before.row : row, file, folded: undefined, loss: undefined, final: false };
    }
  }

  async #read(name: string, dir: string, file: FileStat, before: Entry | undefined): Promise<Entry> {
    const grown = before?.folded && before.file?.inode === file.inode && file.size >= before.folded.end;
    let loss = grown ? before.loss : undefined;
    const from = grown ? before.folded! : NOTHING_FOLDED;
    const goOn = (from: Folded) =>
      foldLog(this.fs, join(dir, EVENTS_FILE), from, (event) => {
        if (event.type === "step.progress" && "metrics" in event) loss = lossOf(event.metrics) ?? loss;
      });
    const first = await goOn(from);
    const live = await lookAt(this.fs, dir, first.state);
    // A runner that ended before that look has left its last event to be read after it.
    const folded = isTerminal(first.state) ? first : await goOn(first);
    if (folded.state.seq === 0) return { row: undefined, file, folded, loss, final: false };
    const { state } = await liveRun(this.fs, dir, folded.state, live);
    const final = isTerminal(state);
    const now = this.clock.now();
    const row = rowOf(name, state, { loss, activity: activityOf(state, live, now), now });
    const unchanged = grown && folded.end === from.end && isSameRow(row, before.row);
    return { row: unchanged ? before.row : row, file, folded: final ? undefined : folded, loss, final };
  }
}

/** What can differ although the log has not grown. */
function isSameRow(a: RunRow, b: RunRow | undefined): boolean {
  return b !== undefined && a.activity === b.activity && a.share === b.share && a.progress === b.progress &&
    a.ends === b.ends;
}

function isSame(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtime === b.mtime && a.inode === b.inode;
}

/** Of an error that is not ours only what it is about: a folder may vanish while it is read. */
export function reason(error: unknown): string {
  if (error instanceof TemperError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
