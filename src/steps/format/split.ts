import { join } from "../../deps/path.ts";
import { LineWriter } from "../../lib/files/line_writer.ts";
import { readLines } from "../../lib/files/lines.ts";
import { murmur128 } from "../../lib/files/murmur.ts";
import type { Env } from "../../providers/provider.ts";
import type { Spec } from "../../spec/schema/schema.ts";
import type { SetName } from "../extract/sources.ts";
import { DigestIndex } from "./checks/digest_index.ts";
import { fractionOf } from "./checks/digests.ts";
import type { Example } from "./example.ts";

export type Split = NonNullable<Spec["dataset"]["split"]>;

/** Gives each example its side. Examples with the same key always fall on the same one. */
export interface Splitter {
  add(key: string, example: Example): void;
  drain(): Promise<void>;
  /** Places what could not be placed before all rows were seen. */
  finish(): Promise<void>;
  /** Removes what was written on the way. */
  remove(): Promise<void>;
}

/** Where the examples go. */
export interface Sink {
  put(set: SetName, example: Example): void;
  drain(): Promise<void>;
}

export function openSplitter(split: Split, out: string, env: Env, sink: Sink): Promise<Splitter> {
  return split.eval < 1
    ? Promise.resolve(new FractionSplitter(split, sink))
    : CountSplitter.open(split, out, env, sink);
}

/** Each key's digest alone decides, so no row moves when others come or go. */
class FractionSplitter implements Splitter {
  readonly #split: Split;
  readonly #sink: Sink;

  constructor(split: Split, sink: Sink) {
    this.#split = split;
    this.#sink = sink;
  }

  add(key: string, example: Example): void {
    const { seed, eval: share } = this.#split;
    this.#sink.put(fractionOf(murmur128(key, seed)) < share ? "eval" : "train", example);
  }

  drain(): Promise<void> {
    return this.#sink.drain();
  }

  async finish(): Promise<void> {}

  async remove(): Promise<void> {}
}

/**
 * The smallest digests make up the eval set, so a row moves only when one that is added takes its place. The
 * border is known once all rows were seen; until then examples wait on disk.
 */
class CountSplitter implements Splitter {
  readonly #split: Split;
  readonly #sink: Sink;
  readonly #env: Env;
  readonly #path: string;
  readonly #index: DigestIndex;
  readonly #waiting: LineWriter;

  private constructor(split: Split, out: string, env: Env, sink: Sink, path: string, waiting: LineWriter) {
    this.#split = split;
    this.#sink = sink;
    this.#env = env;
    this.#path = path;
    this.#waiting = waiting;
    this.#index = new DigestIndex(join(out, ".order"), env.fs);
  }

  static async open(split: Split, out: string, env: Env, sink: Sink): Promise<CountSplitter> {
    const path = join(out, ".waiting");
    return new CountSplitter(split, out, env, sink, path, await LineWriter.create(path, env.fs));
  }

  add(key: string, example: Example): void {
    const digest = murmur128(key, this.#split.seed);
    this.#index.add(digest, 0);
    this.#waiting.add(JSON.stringify([digest, example]));
  }

  async drain(): Promise<void> {
    await this.#waiting.drain();
    await this.#index.drain();
  }

  async finish(): Promise<void> {
    await this.#waiting.finish();
    const border = await this.#border(this.#waiting.count);
    for await (const { lines } of readLines(this.#env.fs.readChunks(this.#path), { maxBytes: Infinity })) {
      for (const line of lines) {
        const [digest, example] = JSON.parse(line) as [string, Example];
        this.#sink.put(digest <= border ? "eval" : "train", example);
      }
      await this.#sink.drain();
    }
  }

  async remove(): Promise<void> {
    await this.#waiting.abandon();
    await this.#index.remove();
    await this.#env.fs.remove(this.#path);
  }

  /** The last digest of the eval set: whole groups, as near to the wanted number of rows as they allow. */
  async #border(rows: number): Promise<string> {
    const wanted = this.#split.eval;
    // Nothing is held out, and what the report then shows is refused with the reasons it knows.
    if (wanted >= rows) return "";
    const sizes: number[] = [];
    let held = 0;
    let border = "";
    await DigestIndex.visit([this.#index], {
      record(slot, isNew) {
        sizes[slot] = isNew ? 1 : (sizes[slot] as number) + 1;
      },
      range(slots, digest) {
        const groups = sizes.slice(0, slots).map((size, slot) => ({ size, digest: digest(slot) }));
        groups.sort((a, b) => a.digest < b.digest ? -1 : 1);
        for (const group of groups) {
          if (held > 0 && Math.abs(held + group.size - wanted) >= Math.abs(held - wanted)) return false;
          held += group.size;
          border = group.digest;
        }
        return true;
      },
    });
    return border;
  }
}
