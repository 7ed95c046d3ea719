/** The runs that the server is measured over, the same in every call. */
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { LineWriter } from "../../src/lib/files/line_writer.ts";
import type { SeriesName } from "../../src/log/metrics.ts";

const RECORDED = new URL("../../tests/fixtures/runs/v1/", import.meta.url);
/** What the runs of a well used folder look like, by the recorded run each of twenty is a copy of. */
const MIX: readonly (readonly [recorded: string, of20: number])[] = [
  ["done", 9],
  ["cached", 4],
  ["retried", 1],
  ["resumed", 1],
  ["failed", 2],
  ["cancelled", 1],
  ["interrupted", 2],
];
const START = Date.parse("2026-01-01T00:00:00.000Z");
const MINUTE = 60_000;
/** Steps between two progress events: a fast step takes 25 ms, and the runner writes one event each 250. */
const EVENT_EVERY = 10;

/** Makes `count` run folders, copies of recorded ones under ids and times of their own. */
export async function makeRuns(runsDir: string, count: number): Promise<void> {
  const kinds = await Promise.all(
    MIX.map(async ([name, n]) =>
      Array<string>(n).fill(await Deno.readTextFile(new URL(`${name}/events.jsonl`, RECORDED)))
    ),
  );
  const texts = kinds.flat();
  for (let i = 0; i < count; i++) {
    const start = START + i * 10 * MINUTE;
    const id = runId(start, i);
    const dir = join(runsDir, id);
    await denoFs.mkdirp(dir);
    await Deno.writeTextFile(join(dir, "events.jsonl"), under(texts[i * 7 % texts.length]!, id, start));
    await Deno.writeTextFile(join(dir, "lock"), "");
  }
}

function runId(start: number, i: number): string {
  const [date, time] = new Date(start).toISOString().replaceAll(/[-:]|\..*$/g, "").split("T");
  return `${date}-${time}-bench-${(i % 65_536).toString(16).padStart(4, "0")}`;
}

/** A recorded log as that of another run. */
function under(text: string, id: string, start: number): string {
  const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const first = Date.parse(lines[0].t);
  return lines.map((event) => {
    const t = new Date(start + Date.parse(event.t) - first).toISOString();
    const own = event.type === "run.started" ? { run: id } : {};
    return `${JSON.stringify({ ...event, t, ...own })}\n`;
  }).join("");
}

/** A peak that a chart has to show. */
export interface Peak {
  readonly chart: string;
  readonly series: SeriesName;
  readonly step: number;
  readonly value: number;
}

export interface LongRun {
  readonly id: string;
  readonly dir: string;
  readonly points: number;
  readonly peaks: readonly Peak[];
  /** Number of the last event in its log. */
  readonly seq: number;
}

/** One run in the middle of a training of `points` steps so far, its numbers with a few lone peaks and dips. */
export async function makeLongRun(runsDir: string, points: number): Promise<LongRun> {
  const id = "20270101-000000-long-ffff";
  const dir = join(runsDir, id);
  await denoFs.mkdirp(join(dir, "job"));
  const peaks = peaksIn(points);
  const planted = new Map(peaks.map((peak) => [peak.step, peak]));
  const metrics = await LineWriter.create(join(dir, "job", "metrics.jsonl"), denoFs);
  for (let step = 1; step <= points; step++) {
    const peak = planted.get(step);
    const point = { ...numbersAt(step, points), ...peak && { [peak.series]: peak.value } };
    metrics.add(
      JSON.stringify({ t: timeAt(step), attempt: 1, type: "train", step, steps: 2 * points, ...point }),
    );
    await metrics.drain();
  }
  await metrics.finish();
  const seq = await writeLongLog(join(dir, "events.jsonl"), id, points);
  await Deno.writeTextFile(join(dir, "lock"), "");
  return { id, dir, points, peaks, seq };
}

/** A run of which only the log is there, and that has about this many bytes. */
export async function makeLongLog(runsDir: string, bytes: number): Promise<{ id: string; path: string }> {
  const id = "20270101-000000-log-ffff";
  await denoFs.mkdirp(join(runsDir, id));
  const path = join(runsDir, id, "events.jsonl");
  const each = progressLine(1_000_000, 1_000_000, 1_000_000).length + 1;
  await writeLongLog(path, id, Math.ceil(bytes / each) * EVENT_EVERY);
  await Deno.writeTextFile(join(runsDir, id, "lock"), "");
  return { id, path };
}

function peaksIn(points: number): Peak[] {
  const at = (share: number) => Math.floor(points * share) + 1;
  return [
    { chart: "loss", series: "loss", step: at(0.123_456), value: 99.5 },
    { chart: "loss", series: "loss", step: at(0.500_001), value: 0.000_1 },
    { chart: "loss", series: "smoothed", step: at(0.876_543), value: 77.25 },
    { chart: "learning_rate", series: "learning_rate", step: at(0.333_333), value: 0.5 },
    { chart: "tokens_per_second", series: "tokens_per_second", step: at(0.654_321), value: 1 },
    { chart: "memory", series: "rss", step: at(0.777_777), value: 99e9 },
  ];
}

function numbersAt(step: number, points: number) {
  // Noise that any two steps differ by, and none of it random.
  const noise = (step * 2_654_435_761 % 4_294_967_296) / 4_294_967_296;
  const smoothed = 0.5 + 4 / (1 + step / 1000);
  return {
    epoch: step / points,
    loss: smoothed + noise - 0.5 + 0.01,
    smoothed,
    smoothed_over: step,
    "learning_rate": 1e-3 * (1 - step / points / 2),
    "grad_norm": 1 + noise,
    tokens: step * 64,
    "tokens_per_second": 2500 + 100 * noise,
    rss: 1.5e9 + 1e6 * Math.floor(noise * 50),
  };
}

function timeAt(step: number): string {
  return new Date(START + 25 * step).toISOString();
}

/** Its log is that of a recorded run up to the training, and then as many words about it as a runner writes. */
async function writeLongLog(path: string, id: string, points: number): Promise<number> {
  const text = under(await Deno.readTextFile(new URL("done/events.jsonl", RECORDED)), id, START);
  const recorded = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const first = recorded.findIndex(({ phase }) => phase === "train");
  const log = await LineWriter.create(path, denoFs);
  for (const event of recorded.slice(0, first)) log.add(JSON.stringify(event));
  for (let i = 1; i <= points / EVENT_EVERY; i++) {
    log.add(progressLine(first + i, i * EVENT_EVERY, points));
    await log.drain();
  }
  await log.finish();
  return first + Math.floor(points / EVENT_EVERY);
}

/** One word about the long run's training, as a line of its log. */
export function progressLine(seq: number, step: number, points: number): string {
  const { loss, smoothed, tokens_per_second: speed } = numbersAt(step, points);
  return JSON.stringify({
    v: 1,
    seq,
    t: timeAt(step),
    type: "step.progress",
    step: "monitor",
    phase: "train",
    done: step,
    total: 2 * points,
    unit: "steps",
    metrics: { loss, smoothed, "tokens_per_second": speed },
  });
}
