import { loadAll, type LoadAllResult } from "../spec/load.ts";
import type { StepExtensions } from "../steps/step.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { type DataOptions, loadingOf, type PipelineOptions } from "./load_pipeline.ts";

/**
 * How a pipeline is checked.
 *
 * @example
 * ```ts
 * const options: CheckOptions = { set: ["train.epochs=2"], force: true };
 * ```
 */
export type CheckOptions = Omit<PipelineOptions, "cell"> & DataOptions & {
  /** Steps of one's own, by the step they replace: what only those can read is not read. */
  readonly steps?: StepExtensions;
};

/** By a path that is known only then: Deno reads ahead what a literal path leads to, here all that reads rows. */
async function loadReader(): Promise<typeof import("./data_reader.ts").DataReader> {
  const module: typeof import("./data_reader.ts") = await import(
    new URL("./data_reader.ts", import.meta.url).href
  );
  return module.DataReader;
}

/**
 * What a check found. `read`: how much of the data was read, in words; absent where it was not.
 *
 * @example
 * ```ts
 * const summary = ({ ok, read = "rows not read" }: CheckResult) => `${ok ? "ok" : "wrong"}, ${read}`;
 * console.log(summary.length);
 * ```
 */
export type CheckResult = LoadAllResult & { readonly read?: string };

/**
 * Checks a pipeline, from a file or defined in code: every problem at once, with its place in the YAML. Also checks that
 * the files it refers to exist, and reads the rows of the data; starts and writes nothing.
 *
 * @returns the pipeline with its defaults, one for each combination of its matrix, or what is wrong with it; `warnings`
 *   are what stops nothing
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
): Promise<CheckResult> {
  const DataReader = options.data === false ? undefined : await loadReader();
  const loading = await loadingOf(
    pipeline,
    options,
    (env) => DataReader && new DataReader(env, { steps: options.steps ?? {}, useCache: false }),
  );
  const result = await loadAll(pipeline, loading.env.fs, loading.options);
  const read = await loading.reader?.readText();
  return read === undefined ? result : { ...result, read };
}
