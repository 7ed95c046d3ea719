import { join } from "../src/deps/path.ts";
import type { Clock } from "../src/lib/clock.ts";
import { TemperError } from "../src/lib/errors.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { lookAt } from "../src/log/liveness.ts";
import { fold, isTerminal, NO_RUN, type RunState } from "../src/log/run_state.ts";
import { EVENTS_FILE, seen } from "../src/log/read_run.ts";
import { tailLog } from "../src/log/tail_log.ts";
import { activityOf } from "../src/view/activity.ts";
import { followTrainer, trainerLines } from "./files/trainer_log.ts";
import type { LogStore } from "./log_store.ts";
import { metricSource, MetricTail } from "./metric_tail.ts";
import { Broadcast } from "./follow/broadcast.ts";
import type { LogBlocks } from "./follow/log_blocks.ts";
import { PING, sseMessage } from "./follow/sse.ts";
import { type Shown, Watcher } from "./follow/watcher.ts";

/** Between two looks at who drives the run. */
const PULSE_MS = 1000;
const PING_MS = 15_000;

/** One run as it is followed, for however many browsers watch it: one tail of its log and one of its numbers. */
export class Feed {
  readonly #watchers = new Set<Watcher>();
  readonly #stop = new AbortController();
  readonly #shown: Shown;
  #run: RunState = NO_RUN;
  #ready: Promise<void> | undefined;
  #stateText = "";

  constructor(
    private readonly fs: ReadFs,
    private readonly clock: Clock,
    private readonly logs: LogStore,
    private readonly blocks: LogBlocks,
    private readonly dir: string,
    private readonly onEmpty: () => void,
  ) {
    const path = join(dir, EVENTS_FILE);
    this.#shown = { path, blocks, live: new Broadcast(), end: 0, latest: new Map() };
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** A stream of the run's events from byte `from` on, then of what comes. */
  async open(from: number): Promise<ReadableStream<Uint8Array>> {
    const watcher: Watcher = new Watcher(this.#shown, () => this.#leave(watcher));
    this.#watchers.add(watcher);
    try {
      await (this.#ready ??= this.#start());
      // A position that no line of this log starts at comes from elsewhere: everything is sent again then. One behind
      // what is known here is that of a browser that has seen more of the log than was read here since.
      const isOwn = await this.blocks.isLineStart(this.#shown.path, from);
      return watcher.stream(isOwn ? from : 0);
    } catch (error) {
      watcher.end();
      throw error;
    }
  }

  #leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#stop.abort();
    this.onEmpty();
  }

  /** `end`: for an event of the log, the byte behind it. */
  #send(message: Uint8Array, end?: number): void {
    this.#shown.live.push(message, end);
  }

  /** Of the run as a whole: a browser that connects later is told the newest one too. */
  #tell(event: "state" | "problem", data: string): void {
    const message = sseMessage({ event, data });
    this.#shown.latest.set(event, message);
    this.#send(message);
  }

  async #start(): Promise<void> {
    const { state, end } = await this.logs.view(this.dir);
    this.#run = state;
    this.#shown.end = end;
    const printed = (await trainerLines(this.fs, this.dir))?.to ?? 0;
    await this.#pulse();
    this.#follow(() => this.#followEvents());
    this.#follow(() => this.#followMetrics());
    this.#follow(() => this.#followTrainer(printed));
    this.#follow(() => this.#beat());
  }

  /** Errors are sent to the browsers and do not end the server. */
  #follow(part: () => Promise<void>): void {
    part().catch((error) => {
      if (this.#stop.signal.aborted) return;
      const message = error instanceof TemperError ? error.message : `Cannot follow the run: ${error}`;
      this.#tell("problem", JSON.stringify({ message }));
    });
  }

  async #followEvents(): Promise<void> {
    const { signal } = this.#stop;
    const { path, end: from } = this.#shown;
    for await (const { event, text, end } of tailLog(this.fs, path, this.clock, { from, signal })) {
      this.#run = fold(this.#run, event);
      this.#shown.end = end;
      this.#send(sseMessage({ id: end, data: text }), end);
      this.#send(sseMessage({ event: "log", data: JSON.stringify(this.logs.entryOf(event, this.#run)) }));
      if (isTerminal(this.#run)) await this.#pulse();
    }
  }

  async #followMetrics(): Promise<void> {
    const { signal } = this.#stop;
    let tail = new MetricTail(this.fs, await metricSource(this.fs, this.dir), this.clock);
    try {
      await tail.skip();
      while (!signal.aborted) {
        const batch = await tail.next(signal);
        if (batch) this.#send(sseMessage({ event: "metrics", data: JSON.stringify(batch) }));
        const source = await metricSource(this.fs, this.dir);
        if (source.path === tail.source.path) continue;
        // The job has begun to write numbers of its own.
        tail.close();
        tail = new MetricTail(this.fs, source, this.clock);
      }
    } finally {
      tail.close();
    }
  }

  async #followTrainer(from: number): Promise<void> {
    const options = { from, signal: this.#stop.signal };
    for await (const lines of followTrainer(this.fs, this.dir, this.clock, options)) {
      this.#send(sseMessage({ event: "trainer", data: JSON.stringify(lines) }));
    }
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop;
    let pinged = this.clock.monotonic();
    while (!signal.aborted) {
      await this.clock.sleep(PULSE_MS, signal).catch(() => {});
      if (signal.aborted) return;
      for (const watcher of this.#watchers) if (watcher.isLost) watcher.end();
      await this.#pulse();
      if (this.clock.monotonic() - pinged < PING_MS) continue;
      pinged = this.clock.monotonic();
      this.#send(PING);
    }
  }

  /** Sends the run's state when it changed. Ends the streams of a run that was removed. */
  async #pulse(): Promise<void> {
    const size = (await this.fs.stat(this.#shown.path))?.size;
    if (size === undefined || size < this.#shown.end) {
      this.#send(sseMessage({ event: "gone", data: "{}" }));
      this.#shown.live.end();
      return;
    }
    const live = await lookAt(this.fs, this.dir, this.#run);
    const now = seen(this.#run, live.driven);
    const activity = activityOf(now, live, this.clock.now());
    const stalled = activity === "stalled";
    const text = JSON.stringify({ state: now.state, activity, stalled, training: live.training });
    if (text === this.#stateText) return;
    this.#stateText = text;
    this.#tell("state", text);
  }
}
