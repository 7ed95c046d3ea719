import { join } from "../src/deps/path.ts";
import type { FileStat, ReadFs } from "../src/lib/files/read_fs.ts";
import { eventText } from "../src/view/event_text.ts";
import type { LogEvent, UnknownEvent } from "../src/log/events.ts";
import { type Folded, foldLog, NOTHING_FOLDED } from "../src/log/fold_log.ts";
import { EVENTS_FILE } from "../src/log/liveness.ts";
import type { RunState } from "../src/log/state.ts";
import { InTurn } from "./in_turn.ts";
import { Recent } from "./recent.ts";

/** Runs whose logs are kept: of each its state and its last lines. */
const KEPT = 32;
/** Lines of the log a page shows. */
const LOG_LINES = 200;

export interface LogEntry {
  /** ISO time. */
  readonly t: string;
  readonly type: string;
  readonly text: string;
}

export interface LogView extends Folded {
  /** The last events in words, newest last. */
  readonly entries: readonly LogEntry[];
}

/** Logs of the runs that were looked at last. Each is folded once, and then only where it has grown. */
export class LogStore {
  readonly #kept = new Recent<Reading>(KEPT);

  constructor(private readonly fs: ReadFs) {}

  /** A log as of now; a missing one is empty. */
  view(dir: string): Promise<LogView> {
    return this.#kept.get(dir, () => new Reading(this.fs, join(dir, EVENTS_FILE))).view();
  }
}

class Reading {
  #folded = NOTHING_FOLDED;
  #last = new LastEvents(LOG_LINES);
  #file: FileStat | undefined;
  readonly #turns = new InTurn();

  constructor(private readonly fs: ReadFs, private readonly path: string) {}

  view(): Promise<LogView> {
    return this.#turns.do(() => this.#catchUp());
  }

  async #catchUp(): Promise<LogView> {
    const file = await this.fs.stat(this.path);
    if (!file || !this.#isGrown(file)) this.#reset();
    this.#file = file;
    try {
      this.#folded = await foldLog(this.fs, this.path, this.#folded, (event, state) => {
        this.#last.push(event, state);
      });
    } catch (error) {
      this.#reset();
      throw error;
    }
    return { ...this.#folded, entries: this.#last.entries() };
  }

  /** Whether what was folded is still how the file begins, as far as one can see without reading it. */
  #isGrown({ inode, size, mtime }: FileStat): boolean {
    const before = this.#file;
    if (before?.inode !== inode || size < this.#folded.end) return false;
    return size !== before.size || mtime === before.mtime;
  }

  #reset(): void {
    this.#folded = NOTHING_FOLDED;
    this.#last = new LastEvents(LOG_LINES);
  }
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
