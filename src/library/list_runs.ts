import { TemperError } from "../lib/errors.ts";
import { type Liveness, type LiveRun, readLiveRun } from "../log/liveness.ts";
import { listRuns as entries } from "../log/read_run.ts";
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
  /** Which runs are listed; `dir` is the run's folder. @default all */
  readonly filter?: (run: RunState, live: Liveness, dir: string) => boolean | Promise<boolean>;
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
  return (await listLiveRuns(options)).map(({ state }) => state);
}

/** The same with what the files of each run say beyond its log. */
export async function listLiveRuns(options: ListRunsOptions = {}): Promise<readonly LiveRun[]> {
  const { fs, runsDir } = worldOf(options);
  const runs: LiveRun[] = [];
  const { filter = () => true, limit = Infinity } = options;
  for (const { dir } of await entries(fs, runsDir)) {
    if (runs.length >= limit) break;
    try {
      const run = await readLiveRun(fs, dir);
      if (run && await filter(run.state, run.live, dir)) runs.push(run);
    } catch (error) {
      if (!options.onDamaged || !(error instanceof TemperError)) throw error;
      options.onDamaged(error);
    }
  }
  return runs;
}
