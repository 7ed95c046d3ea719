import { TemperError } from "../lib/errors.ts";
import { LineSplitter } from "../lib/files/line_splitter.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { type LogEvent, MAX_LINE, parseEvent, type UnknownEvent } from "./events.ts";
import { fold, NO_RUN, type RunState } from "./run_state.ts";

/** One committed line: the event and its bytes, without the newline. */
export interface LogLine {
  readonly event: LogEvent | UnknownEvent;
  readonly text: string;
  /** Byte after the line's newline: where to continue reading. */
  readonly end: number;
}

/** Reads bytes of a log as checked events. An unfinished line is never parsed: its newline is the commit point. */
export class LineReader {
  readonly #splitter: LineSplitter;
  #line = 0;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  #offset: number;
  #seq: number | undefined;
  readonly #fromStart: boolean;

  /**
   * `offset`: where in the file the first byte stands, the start of a line. `seq`: number of the event before it;
   * undefined when that is not known.
   */
  constructor(readonly path: string, offset = 0, seq?: number) {
    this.#splitter = new LineSplitter(offset);
    this.#offset = offset;
    this.#fromStart = offset === 0;
    this.#seq = this.#fromStart ? 0 : seq;
  }

  /** Bytes of an unfinished line so far. */
  get torn(): number {
    return this.#splitter.held;
  }

  /** Byte after the last committed line. */
  get end(): number {
    return this.#offset;
  }

  /** Drops the unfinished line: the next chunk starts at `end`. */
  forget(): void {
    this.#splitter.forget();
  }

  *push(chunk: Uint8Array): Generator<LogLine> {
    for (const { bytes } of this.#splitter.push(chunk)) {
      for (let start = 0; start <= bytes.length;) {
        const newline = bytes.indexOf(10, start);
        const line = bytes.subarray(start, newline < 0 ? bytes.length : newline);
        start += line.length + 1;
        yield this.#parse(line);
      }
    }
    if (this.torn > MAX_LINE) throw this.#corrupt(`no newline within ${MAX_LINE} bytes`);
  }

  #parse(bytes: Uint8Array): LogLine {
    const start = this.#offset;
    try {
      const text = this.#decoder.decode(bytes);
      const event = parseEvent(JSON.parse(text));
      if (this.#seq !== undefined && event.seq !== this.#seq + 1) {
        throw new Error(`seq is ${event.seq} after ${this.#seq}`);
      }
      this.#seq = event.seq;
      this.#line++;
      this.#offset = start + bytes.length + 1;
      return { event, text, end: this.#offset };
    } catch (cause) {
      throw this.#corrupt(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #corrupt(found: string, cause?: unknown): TemperError {
    // Read from the middle, the number of the line is not known.
    const line = this.#fromStart ? `line ${this.#line + 1}, ` : "";
    return new TemperError(
      "corrupt-log",
      `Cannot read "${this.path}" at ${line}byte ${this.#offset}: ${found}`,
      {
        hint: "temper never changes what it has written: restore the file, or start a new run with --fresh",
        cause,
      },
    );
  }
}

/** A whole log file as of now. */
export interface Log {
  readonly lines: readonly LogLine[];
  readonly state: RunState;
  /** Bytes up to and with the last newline. */
  readonly end: number;
  /** Bytes after it: an event that was never committed. */
  readonly torn: number;
}

/** Reads a log from its start. A missing file is an empty log. */
export async function readLog(fs: ReadFs, path: string): Promise<Log> {
  const reader = new LineReader(path);
  const lines: LogLine[] = [];
  let state = NO_RUN;
  if (await fs.stat(path)) {
    for await (const chunk of fs.readStream(path)) {
      for (const line of reader.push(chunk)) {
        lines.push(line);
        state = fold(state, line.event);
      }
    }
  }
  return { lines, state, end: reader.end, torn: reader.torn };
}
