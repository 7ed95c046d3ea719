import { hostname } from "node:os";
import { InterruptedError, TemperError } from "../lib/errors.ts";
import type { RunState } from "../log/run_state.ts";
import { providerFor } from "../providers/registry.ts";
import { cancelRun } from "../run/cancel.ts";
import { findRun } from "./find_run.ts";
import { envOf, worldOf, type WorldOptions } from "./options.ts";

/**
 * How a run is cancelled.
 *
 * @example
 * ```ts
 * const options: CancelOptions = { runsDir: "runs", signal: AbortSignal.timeout(60_000) };
 * ```
 */
export interface CancelOptions extends WorldOptions {
  /** Cancel a run that another host drove last. Make sure that nothing drives it there. */
  readonly takeover?: boolean;
  /** Stops waiting: the run may still be cancelled. */
  readonly signal?: AbortSignal;
  /** Called when another process drives the run and was asked to cancel it. */
  readonly onAsked?: (run: { readonly id: string }) => void;
}

/**
 * Stops a run and its training for good, whether or not a process drives it.
 *
 * @param run an id, the beginning of one, a pipeline's name (its latest run), a path, or "last"
 * @throws {TemperError} when there is no such run, or it has already ended otherwise
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cancel } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * await assert.rejects(cancel("last", { runsDir }), { code: "no-runs" });
 * await Deno.remove(runsDir);
 * ```
 */
export async function cancel(run: string, options: CancelOptions = {}): Promise<RunState> {
  const { fs, runsDir, cwd } = worldOf(options);
  const { id, dir } = await findRun(fs, runsDir, run, cwd);
  const env = envOf(options);
  const { takeover = false, signal, onAsked } = options;
  const state = await cancelRun({
    env,
    dir,
    host: hostname(),
    takeover,
    signal: signal ?? new AbortController().signal,
    cancelJob: async (job, runDir) => await (await providerFor(job.provider, env)).cancel(job, runDir, env),
    onAsked: () => onAsked?.({ id }),
  }).catch((error) => {
    if (!signal?.aborted || error !== signal.reason || error instanceof TemperError) throw error;
    const message = `Stopped waiting for run "${id}": it may still be cancelled`;
    throw new InterruptedError(message, { cause: error });
  });
  if (state.state === "cancelled") return state;
  throw new TemperError("not-running", `Cannot cancel run "${id}": it is ${state.state}`);
}
