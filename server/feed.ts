import { join } from "../src/deps/path.ts";
import type { Clock } from "../src/lib/clock.ts";
import { TemperError } from "../src/lib/errors.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { fold, isTerminal } from "../src/log/run_state.ts";
import { type Folded, NOTHING_FOLDED } from "../src/log/fold_log.ts";
import { EVENTS_FILE } from "../src/log/read_run.ts";
import { LineReader } from "../src/log/read_log.ts";
import { tailLog } from "../src/log/tail_log.ts";
import { followTrainer, trainerLines } from "./files/trainer_log.ts";
import { lookAt, seenWith } from "./liveness.ts";
import type { LogStore } from "./log_store.ts";
import { metricSource, MetricTail } from "./metric_tail.ts";
import { Outbox, PING, sseMessage } from "./sse.ts";

/** Between two looks at who drives the run. */
const PULSE_MS = 1000;
const PING_MS = 15_000;

/** One run as it is followed, for however many browsers watch it: one tail of its log and one of its numbers. */
export class Feed {
  readonly #outboxes = new Set<Outbox>();
  readonly #stop = new AbortController();
  readonly #path: string;
  #folded: Folded = NOTHING_FOLDED;
  #ready: Promise<void> | undefined;
  /** The newest message about the run's state: a browser that connects later gets it at once. */
  #state: Uint8Array | undefined;
  #stateText = "";

  constructor(
    private readonly fs: ReadFs,
    private readonly clock: Clock,
    private readonly logs: LogStore,
    private readonly dir: string,
    private readonly onEmpty: () => void,
  ) {
    this.#path = join(dir, EVENTS_FILE);
  }

  get watchers(): number {
    return this.#outboxes.size;
  }

  /** A stream of the run's events from byte `from` on, then of what comes. */
  async open(from: number): Promise<ReadableStream<Uint8Array>> {
    const outbox: Outbox = new Outbox(() => this.#leave(outbox));
    this.#outboxes.add(outbox);
    if (this.#state) outbox.push(this.#state);
    try {
      await (this.#ready ??= this.#start());
    } catch (error) {
      outbox.close();
      throw error;
    }
    // What comes from here on goes into the outbox; what came before is read from the file, up to the same byte.
    const { end } = this.#folded;
    return outbox.stream(this.#replay(from, end));
  }

  #leave(outbox: Outbox): void {
    this.#outboxes.delete(outbox);
    if (this.#outboxes.size > 0) return;
    this.#stop.abort();
    this.onEmpty();
  }

  #send(message: Uint8Array): void {
    for (const outbox of this.#outboxes) outbox.push(message);
  }

  async #start(): Promise<void> {
    this.#folded = await this.logs.view(this.dir);
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
      this.#send(sseMessage({ event: "problem", data: JSON.stringify({ message }) }));
    });
  }

  async *#replay(from: number, end: number): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#committed(from, end);
    } catch (error) {
      // Removed meanwhile, which the next pulse says.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async *#committed(from: number, end: number): AsyncGenerator<Uint8Array> {
    const start = await this.#isLineStart(from, end) ? from : 0;
    const reader = new LineReader(this.#path, start);
    for await (const chunk of this.fs.readStream(this.#path, start, end)) {
      const messages = [...reader.push(chunk)].map((line) => sseMessage({ id: line.end, data: line.text }));
      for (const message of messages) yield message;
    }
  }

  /** A position that no line of this log starts at comes from elsewhere: everything is sent again then. */
  async #isLineStart(from: number, end: number): Promise<boolean> {
    if (from === 0 || from > end) return false;
    const file = await this.fs.openRead(this.#path);
    try {
      const byte = new Uint8Array(1);
      return await file.readAt(from - 1, byte) === 1 && byte[0] === 10;
    } finally {
      file.close();
    }
  }

  async #followEvents(): Promise<void> {
    const { signal } = this.#stop;
    const options = { from: this.#folded.end, signal };
    for await (const line of tailLog(this.fs, this.#path, this.clock, options)) {
      this.#folded = { state: fold(this.#folded.state, line.event), end: line.end };
      this.#send(sseMessage({ id: line.end, data: line.text }));
      const entry = this.logs.entryOf(line.event, this.#folded.state);
      this.#send(sseMessage({ event: "log", data: JSON.stringify(entry) }));
      if (isTerminal(this.#folded.state)) await this.#pulse();
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
      await this.#pulse();
      if (this.clock.monotonic() - pinged < PING_MS) continue;
      pinged = this.clock.monotonic();
      this.#send(PING);
    }
  }

  /** Sends the run's state when it changed. Ends the streams of a run that was removed. */
  async #pulse(): Promise<void> {
    const size = (await this.fs.stat(this.#path))?.size;
    if (size === undefined || size < this.#folded.end) {
      this.#send(sseMessage({ event: "gone", data: "{}" }));
      for (const outbox of this.#outboxes) outbox.end();
      return;
    }
    const live = await lookAt(this.fs, this.clock, this.dir, this.#folded.state);
    const { state } = seenWith(this.#folded.state, live);
    const text = JSON.stringify({ state, stalled: live.stalled, training: live.training });
    if (text === this.#stateText) return;
    this.#stateText = text;
    this.#state = sseMessage({ event: "state", data: text });
    this.#send(this.#state);
  }
}
