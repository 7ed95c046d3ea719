import type { ReadFs } from "../lib/files/read_fs.ts";
import { readLines } from "../lib/files/lines.ts";
import { MAX_LINE } from "./events.ts";

/** Where a local job's trainer writes its numbers, below the run folder. See trainer/README.md. */
export const METRICS_FILE = "job/metrics.jsonl";

/** What is drawn of a training. */
export const SERIES = [
  "loss",
  "smoothed",
  "eval_loss",
  "grad_norm",
  "learning_rate",
  "tokens_per_second",
  "rss",
  "gpu_memory",
  "cpu",
  "gpu",
  "cpu_temperature",
  "gpu_temperature",
] as const;
export type SeriesName = (typeof SERIES)[number];

/** What it is drawn against, beside the step. `time` is in seconds since 1970. */
export const COLUMNS = ["tokens", "epoch", "time"] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** One step of a training. */
export type MetricPoint = { readonly step: number } & { readonly [name in SeriesName | ColumnName]?: number };
type Point = { step: number } & { [name in SeriesName | ColumnName]?: number };

/** How the services that train for us call the same numbers. */
const ALIASES: Readonly<Record<string, SeriesName>> = {
  "train_loss": "loss",
  "training_loss": "loss",
  "valid_loss": "eval_loss",
  "full_valid_loss": "eval_loss",
};

export interface ReadPoints {
  /** Byte to start from: 0, or the `end` of an earlier reading. */
  readonly from: number;
  /** Byte to stop at. @default the size of the file */
  readonly to?: number;
  readonly parse: (line: string) => MetricPoint | undefined;
}

/** Points of some whole lines. */
export interface PointBatch {
  readonly points: readonly MetricPoint[];
  /** Byte after the last of the lines. */
  readonly end: number;
  /** Lines that could not be read. */
  readonly skipped: number;
}

/**
 * The points of the whole lines from byte `from` on. Lines that cannot be read are counted and passed over:
 * a chart with a gap is better than none, and the runner is the one that checks them.
 */
export async function* pointBatches(
  fs: ReadFs,
  path: string,
  { from, to, parse }: ReadPoints,
): AsyncGenerator<PointBatch> {
  const size = to ?? (await fs.stat(path))?.size ?? 0;
  if (size <= from) return;
  let skipped = 0;
  const options = { start: from, maxBytes: MAX_LINE, onFault: () => skipped++ };
  for await (const batch of readLines(fs.readChunks(path, from, size), options)) {
    if (!batch.terminated) break;
    const points: MetricPoint[] = [];
    for (const line of batch.lines) {
      if (line === "") continue;
      try {
        const point = parse(line);
        if (point) points.push(point);
      } catch {
        skipped++;
      }
    }
    yield { points, end: batch.end, skipped };
    skipped = 0;
  }
}

/** Hands out all of them; returns where the last line ended. */
export async function readPoints(
  fs: ReadFs,
  path: string,
  { onPoint, ...options }: ReadPoints & { readonly onPoint: (point: MetricPoint) => void },
): Promise<{ readonly end: number; readonly skipped: number }> {
  let end = options.from;
  let skipped = 0;
  for await (const batch of pointBatches(fs, path, options)) {
    for (const point of batch.points) onPoint(point);
    end = batch.end;
    skipped += batch.skipped;
  }
  return { end, skipped };
}

/** The types of lines that may hold a point: a step, the loss on held-out rows at one, what the machine was doing. */
const DRAWN = ["train", "eval", "device"].map((type) => JSON.stringify(type));

/**
 * Reads the lines of a metrics.jsonl. An earlier trainer's smoothed loss is corrected here, so that all are the same
 * mean; what it needs for that is the loss of the first step, which has to be read first.
 */
export function metricsReader(): (line: string) => MetricPoint | undefined {
  let first: number | undefined;
  return (line) => {
    if (!DRAWN.some((type) => line.includes(type))) return undefined;
    const event = JSON.parse(line);
    const point = pointOf(event.step, event.t, event);
    if (event.type !== "train") return point;
    if (point?.step === 1) first = point.loss;
    return point && event.smoothed_over === undefined ? withoutBias(point, first) : point;
  };
}

/** That average started from the first loss, which therefore counted ten times too much. */
function withoutBias({ smoothed, ...point }: MetricPoint, first: number | undefined): MetricPoint {
  if (smoothed === undefined || first === undefined || point.step < 1) return point;
  const bias = 0.9 ** point.step;
  return { ...point, smoothed: (smoothed - bias * first) / (1 - bias) };
}

/** A line of events.jsonl: all there is of a job that another machine does. */
export function pointOfEvent(line: string): MetricPoint | undefined {
  if (!line.includes('"step.progress"')) return undefined;
  const event = JSON.parse(line);
  return event.type === "step.progress" && event.metrics
    ? pointOf(event.done, event.t, event.metrics)
    : undefined;
}

function pointOf(step: unknown, t: unknown, values: Record<string, unknown>): MetricPoint | undefined {
  if (typeof step !== "number" || !Number.isFinite(step)) return undefined;
  const point: Point = { step };
  let some = false;
  for (const name of SERIES) some = take(point, name, values[name]) || some;
  for (const alias in ALIASES) {
    if (values[alias] !== undefined) some = take(point, ALIASES[alias]!, values[alias]) || some;
  }
  if (!some) return undefined;
  take(point, "tokens", values.tokens);
  take(point, "epoch", values.epoch);
  take(point, "time", typeof t === "string" ? Date.parse(t) / 1000 : undefined);
  return point;
}

function take(point: Point, name: SeriesName | ColumnName, value: unknown): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  point[name] = value;
  return true;
}
