import type { Clock } from "../src/lib/clock.ts";
import { TemperError } from "../src/lib/errors.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { Feed } from "./feed.ts";
import { LogBlocks } from "./follow/log_blocks.ts";
import type { LogStore } from "./log_store.ts";

/** Streams open at once, over all runs: each holds memory. */
const MOST_STREAMS = 1000;

/** The runs that are followed now, each once. */
export class Feeds {
  readonly #feeds = new Map<string, Feed>();
  readonly #blocks: LogBlocks;

  constructor(
    private readonly fs: ReadFs,
    private readonly clock: Clock,
    private readonly logs: LogStore,
  ) {
    this.#blocks = new LogBlocks(fs);
  }

  /** How many runs are followed, and for how many browsers. */
  get counts(): { readonly runs: number; readonly watchers: number } {
    const watchers = [...this.#feeds.values()].reduce((sum, feed) => sum + feed.watchers, 0);
    return { runs: this.#feeds.size, watchers };
  }

  open(dir: string, from: number): Promise<ReadableStream<Uint8Array>> {
    if (this.counts.watchers >= MOST_STREAMS) {
      throw new TemperError("busy", `Cannot follow another run: ${MOST_STREAMS} streams are already open`);
    }
    let feed = this.#feeds.get(dir);
    if (!feed) {
      const made: Feed = new Feed(this.fs, this.clock, this.logs, this.#blocks, dir, () => {
        if (this.#feeds.get(dir) === made) this.#feeds.delete(dir);
      });
      this.#feeds.set(dir, feed = made);
    }
    return feed.open(from);
  }
}
