import { join } from "../src/deps/path.ts";
import type { FileStat, ReadFs } from "../src/lib/files/read_fs.ts";
import { eventText } from "../src/view/event_text.ts";
import type { LogEvent, UnknownEvent } from "../src/log/events.ts";
import { type Folded, foldLog, NOTHING_FOLDED } from "../src/log/fold_log.ts";
import { EVENTS_FILE } from "../src/log/read_run.ts";
import type { RunState } from "../src/log/run_state.ts";
import { asCalled, type Invocation } from "../src/lib/text/invocation.ts";
import { InTurn, Recent } from "./recent.ts";

/** Runs whose logs are kept: of each its state and its last lines. */
const KEPT = 32;
/** Lines of the log a page shows. */
const LOG_LINES = 200;

export interface LogEntry {
  /** The event's number. */
  readonly seq: number;
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

  /** `invocation`: how temper was called, for the commands that events name. */
  constructor(private readonly fs: ReadFs, private readonly invocation: Invocation) {}

  /** A log as of now; a missing one is empty. */
  async view(dir: string): Promise<LogView> {
    const reading = this.#kept.get(dir, () => new Reading(this.fs, join(dir, EVENTS_FILE)));
    const { state, end, last } = await reading.view();
    return { state, end, entries: last.map(({ event, state }) => this.entryOf(event, state)) };
  }

  /** An event in words. `state`: what it led to. */
  entryOf(event: LogEvent | UnknownEvent, state: RunState): LogEntry {
    const { seq, t, type } = event;
    return { seq, t, type, text: asCalled(eventText(event, state, PLAIN), this.invocation) };
  }
}

class Reading {
  #folded = NOTHING_FOLDED;
  #last = new LastEvents(LOG_LINES);
  #file: FileStat | undefined;
  readonly #turns = new InTurn();

  constructor(private readonly fs: ReadFs, private readonly path: string) {}

  view(): Promise<Folded & { readonly last: readonly LastEvent[] }> {
    return this.#turns.do(() => this.#catchUp());
  }

  async #catchUp(): Promise<Folded & { readonly last: readonly LastEvent[] }> {
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
    return { ...this.#folded, last: this.#last.events() };
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

interface LastEvent {
  readonly event: LogEvent | UnknownEvent;
  /** What it led to, which its words need. */
  readonly state: RunState;
}

class LastEvents {
  #kept: LastEvent[] = [];

  constructor(private readonly most: number) {}

  push(event: LogEvent | UnknownEvent, state: RunState): void {
    this.#kept.push({ event, state });
    if (this.#kept.length >= 2 * this.most) this.#kept = this.#kept.slice(-this.most);
  }

  events(): readonly LastEvent[] {
    return this.#kept.slice(-this.most);
  }
}

const same = (text: string) => text;
const PLAIN = { bold: same, dim: same, good: same, bad: same, warn: same };
