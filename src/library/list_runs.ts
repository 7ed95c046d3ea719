import { TemperError } from "../lib/errors.ts";
import { listRuns as entries, readRun } from "../log/read_run.ts";
import type { RunState } from "../log/run_state.ts";
import { worldOf, type WorldOptions } from "./options.ts";

/**
 * Which runs are listed.
 *
 * @example
 * ```ts
 * const options: ListRunsOptions = { onDamaged: (error) => console.log(error.message) };
 * ```
 */
export interface ListRunsOptions extends WorldOptions {
  /** Called for each run whose log cannot be read; it is skipped. @default the first one is thrown */
  readonly onDamaged?: (error: TemperError) => void;
  /** Which runs are listed. @default all */
  readonly filter?: (run: RunState) => boolean;
  /** Most runs that are listed, the newest; logs of older ones are not read. @default no limit */
  readonly limit?: number;
}

/**
 * The runs in a folder, newest first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { listRuns } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * for (const { id, state, metrics } of await listRuns({ runsDir })) console.log(id, state, metrics.after);
 * assert.deepEqual(await listRuns({ runsDir }), []);
 * await Deno.remove(runsDir);
 * ```
 */
export async function listRuns(options: ListRunsOptions = {}): Promise<readonly RunState[]> {
  const { fs, runsDir } = worldOf(options);
  const states: RunState[] = [];
  const { filter = () => true, limit = Infinity } = options;
  for (const { dir } of await entries(fs, runsDir)) {
    if (states.length >= limit) break;
    try {
      const state = await readRun(fs, dir);
      if (state && filter(state)) states.push(state);
    } catch (error) {
      if (!options.onDamaged || !(error instanceof TemperError)) throw error;
      options.onDamaged(error);
    }
  }
  return states;
}
