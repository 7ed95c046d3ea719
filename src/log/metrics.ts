import type { ReadFs } from "../lib/files/read_fs.ts";
import { readLines } from "../lib/files/lines.ts";
import { MAX_LINE } from "./events.ts";

/** Where a local job's trainer writes its numbers, below the run folder. See trainer/README.md. */
export const METRICS_FILE = "job/metrics.jsonl";

/** What is drawn of a training, each against the step. */
export const SERIES = ["loss", "smoothed", "eval_loss", "learning_rate", "tokens_per_second", "rss"] as const;
export type SeriesName = (typeof SERIES)[number];

/** One step of a training. */
export type MetricPoint = { readonly step: number } & { readonly [name in SeriesName]?: number };

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
  readonly parse: (line: string) => MetricPoint | undefined;
  readonly onPoint: (point: MetricPoint) => void;
}

/**
 * Hands out the points of the whole lines from byte `from` on. Lines that cannot be read are counted and passed over:
 * a chart with a gap is better than none, and the runner is the one that checks them.
 */
export async function readPoints(
  fs: ReadFs,
  path: string,
  { from, parse, onPoint }: ReadPoints,
): Promise<{ readonly end: number; readonly skipped: number }> {
  let end = from;
  let skipped = 0;
  const size = (await fs.stat(path))?.size ?? 0;
  if (size <= from) return { end, skipped };
  const options = { start: from, maxBytes: MAX_LINE, onFault: () => skipped++ };
  for await (const batch of readLines(fs.readChunks(path, from, size), options)) {
    if (!batch.terminated) break;
    end = batch.end;
    for (const line of batch.lines) {
      if (line === "") continue;
      try {
        const point = parse(line);
        if (point) onPoint(point);
      } catch {
        skipped++;
      }
    }
  }
  return { end, skipped };
}

/**
 * Reads the lines of a metrics.jsonl. An earlier trainer's smoothed loss is corrected here, so that all are the same
 * mean; what it needs for that is the loss of the first step, which has to be read first.
 */
export function metricsReader(): (line: string) => MetricPoint | undefined {
  let first: number | undefined;
  return (line) => {
    if (!line.includes('"train"')) return undefined;
    const event = JSON.parse(line);
    if (event.type !== "train") return undefined;
    const point = pointOf(event.step, event);
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
  return event.type === "step.progress" && event.metrics ? pointOf(event.done, event.metrics) : undefined;
}

function pointOf(step: unknown, values: Record<string, unknown>): MetricPoint | undefined {
  if (typeof step !== "number" || !Number.isFinite(step)) return undefined;
  const point: { step: number } & { [name in SeriesName]?: number } = { step };
  let some = false;
  for (const name of SERIES) some = take(point, name, values[name]) || some;
  for (const alias in ALIASES) {
    if (values[alias] !== undefined) some = take(point, ALIASES[alias]!, values[alias]) || some;
  }
  return some ? point : undefined;
}

function take(point: { [name in SeriesName]?: number }, name: SeriesName, value: unknown): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  point[name] = value;
  return true;
}
