import type { Broadcast } from "./broadcast.ts";
import type { LogBlocks } from "./log_blocks.ts";
import { concatBytes } from "../../src/lib/files/bytes.ts";

/** What all who watch a run share. */
export interface Shown {
  /** Its log. */
  readonly path: string;
  readonly blocks: LogBlocks;
  /** What has come since somebody watches it: events, numbers and states. */
  readonly live: Broadcast;
  /** Byte of the log up to which its events are known. What comes behind it is broadcast at the same moment. */
  end: number;
  /** The newest message of each kind that says how the run as a whole stands. */
  readonly latest: Map<string, Uint8Array>;
}

/**
 * One browser that watches a run. It is sent the log from the file up to where that is known, and what is broadcast
 * from then on. Nothing is made for it before it has taken what came before: what waits for a thousand slow browsers
 * would fill the memory.
 */
export class Watcher {
  #at = 0;
  #next: number;
  #first: Uint8Array;
  #isLive = false;
  #isOver = false;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(private readonly shown: Shown, private readonly onEnd: () => void) {
    this.#next = shown.live.next;
    this.#first = concatBytes([...shown.latest.values()]);
  }

  /** Whether it reads so slowly that its next message is no longer kept. */
  get isLost(): boolean {
    return this.#isLive && !this.shown.live.isKept(this.#next);
  }

  /** The body of its response, with the events from byte `from` of the log on. */
  stream(from: number): ReadableStream<Uint8Array> {
    this.#at = from;
    return new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: async (controller) => {
        // A log that broke while it was sent: the browser connects again and is told.
        const bytes = await this.#take().catch(() => undefined);
        if (this.#isOver) return;
        if (bytes) controller.enqueue(bytes);
        else this.end();
      },
      cancel: () => this.end(),
    }, { highWaterMark: 0 });
  }

  /** Nothing more is sent. A browser then connects again, from the last event it has seen. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#controller?.close();
    } catch {
      // It was cancelled.
    }
    this.onEnd();
  }

  async #take(): Promise<Uint8Array | undefined> {
    return this.#isLive ? await this.#heard() : await this.#read() ?? await this.#heard();
  }

  /** What the log has up to now; undefined when that was all. */
  async #read(): Promise<Uint8Array | undefined> {
    const { blocks, path, live } = this.shown;
    try {
      if (this.#at < this.shown.end) {
        const { messages, end } = await blocks.at(path, this.#at, this.shown.end);
        this.#at = end;
        return messages;
      }
    } catch (error) {
      // Removed meanwhile, which is broadcast.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#isLive = true;
    if (!live.isKept(this.#next)) {
      this.#next = live.next;
      this.#first = concatBytes([...this.shown.latest.values()]);
    }
    return undefined;
  }

  /** What was broadcast; waits for it. Undefined at the end, or when it is no longer kept. */
  async #heard(): Promise<Uint8Array | undefined> {
    const { live } = this.shown;
    if (this.#first.length > 0) {
      const first = this.#first;
      this.#first = new Uint8Array();
      return first;
    }
    while (!this.#isOver && live.isKept(this.#next)) {
      const { bytes, next } = live.after(this.#next, this.#at);
      this.#next = next;
      if (bytes.length > 0) return bytes;
      if (live.hasEnded) break;
      await live.changed();
    }
    return undefined;
  }
}
