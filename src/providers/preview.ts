import type { ReadFs } from "../lib/files/read_fs.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";
import type { Origin } from "../spec/origin.ts";

/**
 * How much data there is: counted in the stored output of format, or estimated from the sources.
 *
 * @example
 * ```ts
 * const rows = ({ trainRows, evalRows }: DataSize) => trainRows + evalRows;
 * console.log(rows.length);
 * ```
 */
export interface DataSize {
  readonly trainRows: number;
  readonly evalRows: number;
  /** Characters of all messages. */
  readonly trainChars: number;
  readonly evalChars: number;
  /** How the figures were found: "counted" or "estimated from …". */
  readonly how: string;
}

/** The rows as conversations: train.jsonl, eval.jsonl (when there is one) and report.json in a folder of `fs`. */
export interface Examples {
  readonly fs: ReadFs;
  readonly dir: string;
}

/** One resolved setting, for `plan` and for what a run keeps. */
export interface Setting {
  /** Dotted path in the file. */
  readonly field: string;
  readonly value: Json;
  /** Why it is this value: the file says so, or the reason of the default. */
  readonly reason: string;
  /** Where it comes from, where that is one of the usual places. */
  readonly from?: Origin;
}

/** One estimated figure, for `plan`. */
export interface Estimate {
  readonly name: string;
  /** In words: "about 2 min". */
  readonly text: string;
  /** What it rests on. */
  readonly basis: string;
  /** The numbers behind the words, with their unit in the name: {seconds: 118}. */
  readonly figures: JsonObject;
}

/**
 * What a provider expects of a pipeline before anything was started.
 *
 * @example
 * ```ts
 * const preview: Preview = {
 *   base: "a model of the cluster",
 *   settings: [{ field: "provider.queue", value: "gpu", reason: "set in the file" }],
 *   estimates: [{ name: "time", text: "about 2 min", basis: "the last job", figures: { seconds: 118 } }],
 *   notes: [],
 * };
 * console.log(preview.base);
 * ```
 */
export interface Preview {
  /** The base in words. */
  readonly base: string;
  readonly settings: readonly Setting[];
  readonly estimates: readonly Estimate[];
  /** Sentences a user should read before running. */
  readonly notes: readonly string[];
  /** The script or the request that would be sent to a cluster. RUN stands for the run's id. */
  readonly sent?: string;
}
