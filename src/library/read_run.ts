import { TemperError } from "../lib/errors.ts";
import { type LiveRun, readLiveRun as readLive } from "../log/liveness.ts";
import type { RunState } from "../log/run_state.ts";
import { findRun } from "./find_run.ts";
import { worldOf, type WorldOptions } from "./options.ts";

/**
 * One run as it is now: steps, metrics, artifacts.
 *
 * @param run an id, the beginning of one, a pipeline's name (its latest run), a path, or "last"
 * @throws {TemperError} when there is no such run, or its log cannot be read
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readRun, TemperError } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * try {
 *   const { state, steps, metrics } = await readRun("last", { runsDir });
 *   console.log(state, steps.length, metrics.after);
 * } catch (error) {
 *   assert(error instanceof TemperError);
 *   assert.equal(error.code, "no-runs");
 * }
 * await Deno.remove(runsDir);
 * ```
 */
export async function readRun(run: string, options: WorldOptions = {}): Promise<RunState> {
  return (await readLiveRun(run, options)).state;
}

/** The same with what its files say beyond its log. */
export async function readLiveRun(run: string, options: WorldOptions = {}): Promise<LiveRun> {
  const { fs, runsDir, cwd } = worldOf(options);
  const { id, dir } = await findRun(fs, runsDir, run, cwd);
  const found = await readLive(fs, dir);
  if (found) return found;
  throw new TemperError("no-such-run", `Cannot read run "${id}": it was removed in the meantime`);
}
