import { dirname, join } from "../deps/path.ts";
import type { Clock } from "../lib/clock.ts";
import type { FileWriter, Fs } from "../lib/files/fs.ts";
import { explainSystemError } from "../lib/system_error.ts";
import { EVENT_VERSION, type LogEvent, MAX_LINE, type NewEvent, parseEvent } from "./events.ts";
import { EVENTS_FILE } from "./read_run.ts";
import { readLog } from "./read_log.ts";
import { fold, type RunState } from "./run_state.ts";

/** Where the bytes of lines that were never finished are kept. */
export const TORN_FILE = "events.torn";

/** The one writer of a run's log. Open it only while holding the run's lock. */
export class LogWriter {
  #state: RunState;
  /** Resolves when everything appended so far is written; always rejects after the first failure. */
  #written: Promise<void> = Promise.resolve();
  /** Milliseconds by which the clock was set back below the last event. */
  #behind = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileWriter,
    private readonly clock: Clock,
    state: RunState,
    /** Bytes of an unfinished line that opening has cut off. */
    readonly torn: number,
  ) {
    this.#state = state;
  }

  /** Reads what is there and cuts an unfinished last line, which the next event would otherwise be glued to. */
  static async open(fs: Fs, runDir: string, clock: Clock): Promise<LogWriter> {
    const path = join(runDir, EVENTS_FILE);
    const { state, end, torn } = await readLog(fs, path);
    try {
      if (torn > 0) await cut(fs, path, end);
      const file = await fs.append(path);
      if (end === 0) await fs.syncDir(dirname(path));
      return new LogWriter(path, file, clock, state, torn);
    } catch (error) {
      throw explainSystemError(`Cannot write "${path}"`, error);
    }
  }

  /** The state after every event appended so far. */
  get state(): RunState {
    return this.#state;
  }

  /** Appends a decision; it is durable when the promise resolves. */
  async decide(event: NewEvent): Promise<LogEvent> {
    const appended = this.#append(event, true);
    await this.#written;
    return appended;
  }

  /** Appends what may be lost when the machine stops: progress. A failure shows at the next decision. */
  note(event: NewEvent): LogEvent {
    return this.#append(event, false);
  }

  /** Waits for what was appended, then closes. */
  async close(): Promise<void> {
    try {
      await this.#written;
    } finally {
      await this.file.close();
    }
  }

  #append(event: NewEvent, durable: boolean): LogEvent {
    const t = this.#time();
    const line = { v: EVENT_VERSION, seq: this.#state.seq + 1, t, ...event };
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    if (bytes.length > MAX_LINE) {
      throw new RangeError(`Cannot append event "${event.type}": ${bytes.length} bytes is above ${MAX_LINE}`);
    }
    // Checked as a reader will check it: a log that cannot be read must never be written.
    const checked = parseEvent(JSON.parse(JSON.stringify(line))) as LogEvent;
    this.#written = this.#written.then(() => this.#write(bytes, durable));
    // Nothing may be awaiting this one; the next decision reports the error.
    this.#written.catch(() => {});
    this.#state = fold(this.#state, checked);
    return checked;
  }

  /** Goes on from the last event when the clock was set back, so that no step ends before it has begun. */
  #time(): string {
    const now = this.clock.now();
    const last = this.#state.updated === undefined ? now : Date.parse(this.#state.updated);
    this.#behind = now >= last ? 0 : Math.max(this.#behind, last - now);
    return new Date(now + this.#behind).toISOString();
  }

  async #write(bytes: Uint8Array, durable: boolean): Promise<void> {
    try {
      await this.file.write(bytes);
      if (durable) await this.file.sync();
    } catch (error) {
      throw explainSystemError(`Cannot write "${this.path}"`, error);
    }
  }
}

async function cut(fs: Fs, path: string, end: number): Promise<void> {
  const torn = await fs.append(join(dirname(path), TORN_FILE));
  try {
    for await (const chunk of fs.readStream(path, end)) await torn.write(chunk);
    await torn.sync();
  } finally {
    await torn.close();
  }
  await fs.truncate(path, end);
}
