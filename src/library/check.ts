import { loadAll, type LoadAllResult } from "../spec/load.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { loadingOf, type PipelineOptions } from "./load_pipeline.ts";

/**
 * How a pipeline is checked.
 *
 * @example
 * ```ts
 * const options: CheckOptions = { set: ["train.epochs=2"], force: true };
 * ```
 */
export type CheckOptions = Omit<PipelineOptions, "cell">;

/**
 * Checks a pipeline, from a file or defined in code: every problem at once, with its place in the YAML. Also checks that
 * the files it refers to exist; starts and writes nothing.
 *
 * @returns the pipeline with its defaults, one for each combination of its matrix, or what is wrong with it
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { check } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/lora.yaml`, "version: 1\nname: Home\n");
 * const checked = await check("lora.yaml", { cwd: dir });
 * assert(!checked.ok);
 * for (const { line, column, path, message } of checked.problems) {
 *   console.log(`${line}:${column} ${path}: ${message}`);
 * }
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function check(
  pipeline: string | Pipeline,
  options: CheckOptions = {},
): Promise<LoadAllResult> {
  const loading = await loadingOf(pipeline, options);
  return await loadAll(pipeline, loading.env.fs, loading.options);
}
