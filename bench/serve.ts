// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * The status page over a folder of many runs and a run of very many points, each time as a multiple of what the same
 * files take without a server: reading them once, or listing the folder. Then how soon an event reaches those who
 * watch a run, and what the server's process takes, also with a thousand streams. Exit 1 when a figure is over its
 * bound. Linux only.
 *
 *     deno task bench:serve [RUNS POINTS]
 */
import { join } from "../src/deps/path.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { bytes, count } from "../src/lib/text/format.ts";
import { MOST_POINTS } from "../src/view/charts.ts";
import { table } from "../src/ui/table.ts";
import { gather } from "./serve/crowd.ts";
import { type LongRun, makeLongLog, makeLongRun, makeRuns, progressLine } from "./serve/runs.ts";
import { memoryOf, type Server, startServer, watchesOf } from "./serve/server.ts";
import { Stream } from "./serve/stream.ts";

const [runs = 10_000, points = 1_000_000] = Deno.args.map(Number);
/** Requests a median is taken of. */
const ROUNDS = 15;
const APPENDS = 60;
const CLIENTS = 200;
/** As many as the server takes, half of them from the start of a log and half from anywhere in it. */
const CROWD = 1000;
const CROWD_LOG = 200e6;
/** Until what they needed has been given back. */
const AFTER_MS = 20_000;

/**
 * Most times the plain work, milliseconds, or bytes. The first answers parse and check each line, which takes far longer
 * than reading it from the kernel's memory (measured: 18 and 94 times): their bounds only catch work that is done twice.
 */
const BOUND = {
  listCold: 35,
  listWarm: 3,
  pageCold: 180,
  pageWarm: 1,
  eventMs: 100,
  lastOfAllMs: 1000,
  residentBytes: 250e6,
  watches: 2,
  crowdBytes: 250e6,
  crowdAfterBytes: 200e6,
};

const rows: { text: string }[][] = [];
let over = 0;

/** One line of the result. `note`: what stands behind the figure. */
function report(what: string, value: number, bound: number, write: (n: number) => string, note = ""): void {
  const ok = value <= bound;
  if (!ok) over++;
  console.error(what, value);
  rows.push([what, write(value), write(bound), ok ? "ok" : "over", note].map((text) => ({ text })));
}

const times = (n: number) => `${n < 0.1 ? n.toFixed(3) : n.toFixed(2)}×`;
const ms = (n: number) => `${n < 10 ? n.toFixed(1) : n.toFixed(0)} ms`;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function medianTime(rounds: number, work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push(await timed(work));
  return median(times);
}

async function get(server: Server, path: string): Promise<string> {
  const response = await fetch(new URL(path, server.url));
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot measure ${path}: ${response.status} ${text.slice(0, 300)}`);
  return text;
}

/** What nobody can list a folder of runs for less than, from this runtime: its names and one look at each log. */
function scan(runsDir: string): void {
  for (const { name } of Deno.readDirSync(runsDir)) Deno.statSync(join(runsDir, name, "events.jsonl"));
}

function readLogs(runsDir: string): void {
  for (const { name } of Deno.readDirSync(runsDir)) Deno.readFileSync(join(runsDir, name, "events.jsonl"));
}

function readWhole(path: string): void {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(1 << 20);
  while (file.readSync(buffer) !== null);
}

/** The first answer of a server that knows nothing yet, then those that follow. */
async function measureList(server: Server, runsDir: string, path: string): Promise<void> {
  readLogs(runsDir);
  const plain = await medianTime(3, () => readLogs(runsDir));
  const cold = await timed(() => get(server, path));
  report(
    `${path} first`,
    cold / plain,
    BOUND.listCold,
    times,
    `${ms(cold)}; reading each log once ${ms(plain)}`,
  );
  const scans: number[] = [];
  const warm: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    scans.push(await timed(() => scan(runsDir)));
    warm.push(await timed(() => get(server, path)));
  }
  const [bare, again] = [median(scans), median(warm)];
  report(
    `${path} again`,
    again / bare,
    BOUND.listWarm,
    times,
    `${ms(again)}; listing the folder ${ms(bare)}`,
  );
}

async function measurePage(server: Server, run: LongRun): Promise<void> {
  const files = ["job/metrics.jsonl", "events.jsonl"].map((name) => join(run.dir, name));
  const readBoth = () => files.forEach(readWhole);
  readBoth();
  const plain = await medianTime(3, readBoth);
  const path = `/runs/${run.id}`;
  const size = bytes(files.reduce((sum, file) => sum + Deno.statSync(file).size, 0));
  const cold = await timed(() => get(server, path));
  report(
    "run page first",
    cold / plain,
    BOUND.pageCold,
    times,
    `${ms(cold)}; reading its ${size} once ${ms(plain)}`,
  );
  const warm = await medianTime(ROUNDS, () => get(server, path));
  report("run page again", warm / plain, BOUND.pageWarm, times, ms(warm));
}

interface ChartJson {
  readonly steps: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

/** What the charts hold, in the API and in the page's own pictures. */
async function measureCharts(server: Server, run: LongRun): Promise<void> {
  const text = await get(server, `/api/runs/${run.id}/metrics`);
  const { charts, points: seen } = JSON.parse(text) as { charts: Record<string, ChartJson>; points: number };
  if (seen !== run.points) {
    throw new Error(`Cannot trust the charts: drawn from ${seen} of ${run.points} points`);
  }
  const page = await get(server, `/runs/${run.id}`);
  const paths = [...page.matchAll(/<path class="s\d[^"]*" d="([^"]+)"/g)].map(([, d]) =>
    d!.split("L").length
  );
  const most = Math.max(...Object.values(charts).map(({ steps }) => steps.length), ...paths);
  report("points of a chart", most, MOST_POINTS, count, `${paths.length} lines of ${count(seen)} points`);
  const lost = run.peaks.filter(({ chart, series, step, value }) => {
    const { steps, series: all } = charts[chart]!;
    return all[series]?.[steps.indexOf(step)] !== value;
  });
  report("peaks lost", lost.length, 0, count, `of ${run.peaks.length} lone ones`);
}

/** Appends the long run's events as its runner would. */
class Writer {
  readonly #file: Deno.FsFile;
  #seq: number;

  constructor(private readonly run: LongRun) {
    this.#file = Deno.openSync(join(run.dir, "events.jsonl"), { append: true });
    this.#seq = run.seq;
  }

  /** Returns the event's number and when it was written. */
  append(): { readonly seq: number; readonly at: number } {
    const seq = ++this.#seq;
    const line = progressLine(seq, this.run.points + seq - this.run.seq, this.run.points);
    const bytes = new TextEncoder().encode(`${line}\n`);
    const at = performance.now();
    this.#file.writeSync(bytes);
    return { seq, at };
  }

  close(): void {
    this.#file.close();
  }
}

async function eventsUrl(server: Server, run: LongRun): Promise<URL> {
  const { size } = await Deno.stat(join(run.dir, "events.jsonl"));
  return new URL(`/runs/${run.id}/events?from=${size}`, server.url);
}

async function measureEvents(server: Server, run: LongRun, writer: Writer): Promise<void> {
  await using stream = await Stream.open(await eventsUrl(server, run));
  const delays: number[] = [];
  for (let i = 0; i < APPENDS; i++) {
    // Not in step with anything that looks at regular times.
    await new Promise((resolve) => setTimeout(resolve, 20 + i * 37 % 180));
    const { seq, at } = writer.append();
    delays.push(await stream.arrival(seq) - at);
  }
  const worst = Math.max(...delays);
  report(
    "event to its watcher",
    median(delays),
    BOUND.eventMs,
    ms,
    `median of ${APPENDS}, the slowest ${ms(worst)}`,
  );
}

async function measureClients(server: Server, run: LongRun, writer: Writer): Promise<void> {
  const before = await memoryOf(server.pid);
  const url = await eventsUrl(server, run);
  const streams = await Promise.all(Array.from({ length: CLIENTS }, () => Stream.open(url)));
  try {
    const delays: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { seq, at } = writer.append();
      delays.push(Math.max(...await Promise.all(streams.map((stream) => stream.arrival(seq)))) - at);
      const twice = streams.filter((stream) => stream.times(seq) !== 1).length;
      if (twice > 0) throw new Error(`Cannot trust the streams: ${twice} got event ${seq} more than once`);
    }
    const growth = (await memoryOf(server.pid)).now - before.now;
    report(`event to the last of ${CLIENTS}`, median(delays), BOUND.lastOfAllMs, ms, "median of 5");
    const note = `memory grew by ${bytes(Math.max(0, growth))}`;
    report(`watches for ${CLIENTS}`, await watchesOf(server.pid), BOUND.watches, count, note);
  } finally {
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
  }
}

async function measure(runsDir: string): Promise<void> {
  console.error(`making ${count(runs)} runs and one of ${count(points)} points`);
  await makeRuns(runsDir, runs);
  const run = await makeLongRun(runsDir, points);
  const lock = await denoFs.lock(join(run.dir, "lock"));
  const writer = new Writer(run);
  try {
    console.error("measuring");
    {
      await using server = await startServer(runsDir);
      await measureList(server, runsDir, "/api/runs");
    }
    await using server = await startServer(runsDir);
    await measureList(server, runsDir, "/");
    await measurePage(server, run);
    await measureCharts(server, run);
    await measureEvents(server, run, writer);
    await measureClients(server, run, writer);
    const { now, peak } = await memoryOf(server.pid);
    report("memory after all of it", now, BOUND.residentBytes, bytes, `the most it ever was ${bytes(peak)}`);
  } finally {
    writer.close();
    lock?.release();
  }
}

async function measureCrowd(runsDir: string): Promise<void> {
  console.error(`${count(CROWD)} streams of a log of ${bytes(CROWD_LOG)}`);
  const { id, path } = await makeLongLog(runsDir, CROWD_LOG);
  await using server = await startServer(runsDir);
  const starts = lineStarts(path, CROWD / 2);
  {
    using crowd = await gather(server.url, id, [...starts.map(() => 0), ...starts]);
    if (crowd.served < CROWD) {
      throw new Error(`Cannot trust the memory: only ${crowd.served} of ${CROWD} streams were sent anything`);
    }
    const { peak } = await memoryOf(server.pid);
    report(
      `memory with ${count(CROWD)} streams`,
      peak,
      BOUND.crowdBytes,
      bytes,
      `${bytes(crowd.bytes)} were sent`,
    );
  }
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  const { now } = await memoryOf(server.pid);
  report("memory after they have left", now, BOUND.crowdAfterBytes, bytes, `after ${AFTER_MS / 1000} s`);
}

/** Where lines begin, spread over a file. */
function lineStarts(path: string, count: number): number[] {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  const buffer = new Uint8Array(4096);
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(i * (size - buffer.length) / count);
    file.seekSync(at, Deno.SeekMode.Start);
    file.readSync(buffer);
    return at + buffer.indexOf(10) + 1;
  });
}

for (const part of [measure, measureCrowd]) {
  const dir = await Deno.makeTempDir({ prefix: "bench-serve-" });
  try {
    await part(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
const right = "right" as const;
const columns = [{ title: "" }, { title: "measured", align: right }, { title: "bound", align: right }];
console.log(table([...columns, { title: "" }, { title: "" }], rows, 0).join("\n"));
if (over > 0) Deno.exit(1);
