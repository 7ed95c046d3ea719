import type { Clock } from "../lib/clock.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { LineReader, type LogLine } from "./read_log.ts";

export interface TailOptions {
  /** Byte to start from: 0, or the `end` of a line read before. */
  readonly from?: number;
  /** Ends the tail, without an error. */
  readonly signal: AbortSignal;
  /** Polling interval for file systems that report no changes. @default 1000 */
  readonly pollMs?: number;
}

/** Follows a log as it grows, line by line, never past one that is not finished. The file may not exist yet. */
export async function* tailLog(
  fs: ReadFs,
  path: string,
  clock: Clock,
  options: TailOptions,
): AsyncGenerator<LogLine> {
  const { from = 0, signal, pollMs = 1000 } = options;
  const reader = new LineReader(path, from);
  const bell = new Bell();
  let stop: (() => void) | undefined;
  try {
    while (!signal.aborted) {
      bell.quiet();
      const before = reader.end;
      const size = (await fs.stat(path))?.size;
      if (size !== undefined && !stop) {
        stop = fs.watch(path, () => bell.ring());
        // The watch does not report what was appended before it began.
        continue;
      }
      if ((size ?? 0) > before) {
        // An unfinished line is read again each time, because a resuming runner may have cut it off.
        reader.forget();
        for await (const chunk of fs.readStream(path, before)) yield* reader.push(chunk);
      }
      if (reader.end === before) await bell.wait(clock, pollMs, signal);
    }
  } finally {
    stop?.();
  }
}

/** Remembers a call that arrives while nothing awaits it. */
class Bell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  quiet(): void {
    if (this.#rung.signal.aborted) this.#rung = new AbortController();
  }

  /** Until the next ring since `quiet`, `ms` have passed or the signal aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, AbortSignal.any([signal, this.#rung.signal])).catch(() => {});
  }
}
