import { serveOptions, servingWork, type UnregisterOptions } from "./register.ts";

/**
 * The result of removing a model.
 *
 * @example
 * ```ts
 * const said = ({ model, removed }: UnregisterResult) => removed ? `${model} is gone` : `no ${model}`;
 * console.log(said.length);
 * ```
 */
export interface UnregisterResult {
  readonly model: string;
  readonly server: string;
  /** Whether the server had it. */
  readonly removed: boolean;
}

/**
 * Removes a run's model from Ollama; the run keeps its files. A model of that name that is not this run's is left alone.
 *
 * @param run an id, the beginning of one, a pipeline's name (its latest run), a path, or "last"
 * @throws {TemperError} when there is no such run, the model is another one's, or the server cannot be reached
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { unregister } from "@temper/temper";
 *
 * const runsDir = await Deno.makeTempDir();
 * await assert.rejects(unregister("last", { runsDir }), { code: "no-runs" });
 * await Deno.remove(runsDir);
 * ```
 */
export async function unregister(run: string, options: UnregisterOptions = {}): Promise<UnregisterResult> {
  const { unregisterRun } = await import("../providers/ollama/finished_run.ts");
  const { work, spec } = await servingWork(run, options, "unregister");
  return await unregisterRun(work, spec, serveOptions(options));
}
