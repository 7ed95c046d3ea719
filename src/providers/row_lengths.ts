import type { LoadedSpec } from "../spec/load.ts";
import type { Env } from "./provider.ts";

/** A row that is, or may be, too long. */
export interface LongRow {
  /** In words: "has at least 5,012 tokens". */
  readonly found: string;
  /** Whether the job's own count is sure to be above the limit too. */
  readonly isSure: boolean;
}

/** What is known of the length of rows before a job is configured. */
export interface RowLengths {
  /** In words: "1,024 tokens (train.max_length)". */
  readonly limit: string;
  /** What the job does with long rows that stop nothing, in words. */
  readonly otherwise: string;
  /** Looks at a line that format wrote. `undefined`: nothing says that it is too long. */
  judge(line: string): LongRow | undefined | Promise<LongRow | undefined>;
}

/** How a provider judges the rows of a pipeline. Apart from the rest of it, because checking a file must not load it. */
export type LengthsOf = (loaded: LoadedSpec, env: Env) => Promise<RowLengths>;
