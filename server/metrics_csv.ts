import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { type ColumnName, type MetricPoint, pointBatches, SERIES } from "../src/log/metrics.ts";
import { type MetricSource, metricSource } from "./metric_tail.ts";

type Column = "step" | ColumnName | (typeof SERIES)[number];
const ORDER: readonly Column[] = ["step", "epoch", "tokens", "time", ...SERIES];

/** All points of a run as the lines of a CSV file, one a step, in memory that does not grow with them. */
export async function metricLines(fs: ReadFs, dir: string): Promise<AsyncIterable<string>> {
  const source = await metricSource(fs, dir);
  const whole = { ...source, fs, size: (await fs.stat(source.path))?.size ?? 0 };
  return lines(whole, await outlineOf(whole));
}

/** The file as it was when it was asked for: it may grow meanwhile. */
interface Source extends MetricSource {
  readonly fs: ReadFs;
  readonly size: number;
}

/** What has to be known before the first line is written. */
interface Outline {
  readonly columns: readonly Column[];
  /** Where a training went back to a checkpoint: the number of the point, and the step it went on with. */
  readonly returns: readonly { readonly at: number; readonly step: number }[];
}

async function outlineOf(source: Source): Promise<Outline> {
  const filled = new Set<string>();
  const returns: { at: number; step: number }[] = [];
  let last = -Infinity;
  let at = 0;
  for await (const { points } of batchesOf(source)) {
    for (const point of points) {
      for (const name in point) filled.add(name);
      if (point.step < last) returns.push({ at, step: point.step });
      last = point.step;
      at++;
    }
  }
  return { columns: ORDER.filter((name) => name === "step" || filled.has(name)), returns };
}

/** Steps that were trained again later are left out; what several points say about one step is one line. */
async function* lines(source: Source, { columns, returns }: Outline): AsyncGenerator<string> {
  yield `${columns.join()}\n`;
  const trainedAgain = leastFrom(returns.map(({ step }) => step));
  let [at, passed] = [0, 0];
  let pending: MetricPoint | undefined;
  for await (const { points } of batchesOf(source)) {
    let text = "";
    for (const point of points) {
      while (returns[passed] && returns[passed]!.at <= at) passed++;
      at++;
      if (point.step >= (trainedAgain[passed] ?? Infinity)) continue;
      if (pending && pending.step !== point.step) text += lineOf(pending, columns);
      pending = pending?.step === point.step ? { ...pending, ...point } : point;
    }
    if (text !== "") yield text;
  }
  if (pending) yield lineOf(pending, columns);
}

function batchesOf({ fs, path, parse, size }: Source) {
  return pointBatches(fs, path, { from: 0, to: size, parse });
}

/** For each place the least of the numbers from there on. */
function leastFrom(numbers: readonly number[]): number[] {
  let least = Infinity;
  return numbers.toReversed().map((number) => least = Math.min(least, number)).toReversed();
}

function lineOf(point: MetricPoint, columns: readonly Column[]): string {
  const cells = columns.map((name) => {
    const value = point[name];
    if (value === undefined) return "";
    return name === "time" ? new Date(Math.round(value * 1000)).toISOString() : String(value);
  });
  return `${cells.join()}\n`;
}
