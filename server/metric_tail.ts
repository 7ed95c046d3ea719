import { join } from "../src/deps/path.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { MAX_LINE } from "../src/log/events.ts";
import { EVENTS_FILE } from "../src/log/liveness.ts";
import {
  type MetricPoint,
  METRICS_FILE,
  metricsReader,
  pointOfEvent,
  readPoints,
} from "../src/log/metrics.ts";

const POLL_MS = 1000;
/** Least time between two messages: fifty points at once cost what one does. */
const LEAST_MS = 50;
const MOST_SENT = 2000;

/** The file that holds a run's numbers and how its lines are read. */
export interface MetricSource {
  readonly path: string;
  readonly parse: (line: string) => MetricPoint | undefined;
}

/** A local job's own file where there is one, otherwise what the log has of a job elsewhere. */
export async function metricSource(fs: ReadFs, dir: string): Promise<MetricSource> {
  const own = join(dir, METRICS_FILE);
  return await fs.stat(own)
    ? { path: own, parse: metricsReader() }
    : { path: join(dir, EVENTS_FILE), parse: pointOfEvent };
}

/** New points and the bytes they were read from, so that a browser can tell whether it has missed some. */
export interface MetricMessage {
  readonly from: number;
  readonly to: number;
  /** Left out when there are too many to send: the browser asks for the charts then. */
  readonly points?: readonly MetricPoint[];
}

/** Follows the numbers of a run as they are appended. */
export class MetricTail {
  #end = 0;
  #sent = -Infinity;
  #rung = new AbortController();
  #unwatch: (() => void) | undefined;

  constructor(private readonly fs: ReadFs, readonly source: MetricSource, private readonly clock: Clock) {}

  /** Leaves out the lines that are there now. */
  async skip(): Promise<void> {
    const size = (await this.fs.stat(this.source.path))?.size ?? 0;
    const start = Math.max(0, size - MAX_LINE);
    this.#end = start;
    let at = start;
    for await (const chunk of this.fs.readChunks(this.source.path, start, size)) {
      const newline = chunk.lastIndexOf(10);
      if (newline >= 0) this.#end = at + newline + 1;
      at += chunk.length;
    }
  }

  /** Waits for something new, at most until the next look is due; undefined when nothing came. */
  async next(signal: AbortSignal): Promise<MetricMessage | undefined> {
    const { path, parse } = this.source;
    this.#unwatch ??= this.fs.watch(path, () => this.#rung.abort());
    await this.#pause(this.#sent + LEAST_MS - this.clock.monotonic(), signal);
    const from = this.#end;
    if (((await this.fs.stat(path))?.size ?? 0) <= from) await this.#quiet(signal);
    const points: MetricPoint[] = [];
    let seen = 0;
    const onPoint = (point: MetricPoint) => void (seen++ < MOST_SENT && points.push(point));
    const { end } = await readPoints(this.fs, path, { from, parse, onPoint });
    this.#end = end;
    if (seen === 0) return undefined;
    this.#sent = this.clock.monotonic();
    return seen > MOST_SENT ? { from, to: end } : { from, to: end, points };
  }

  close(): void {
    this.#unwatch?.();
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    await this.#pause(POLL_MS, AbortSignal.any([signal, this.#rung.signal]));
    if (this.#rung.signal.aborted) this.#rung = new AbortController();
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.clock.sleep(ms, signal).catch(() => {});
  }
}
