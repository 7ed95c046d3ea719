import { type Advice, advise as adviseOn } from "../plan/advise.ts";
import {
  type AdviseCase,
  caseOfNumbers,
  caseOfPipeline,
  type Described,
} from "../providers/trainer/estimate/advise_case.ts";
import { dataSize } from "../steps/data_size.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { loadingOf, loadPipeline, type PipelineOptions } from "./load_pipeline.ts";
import type { DeviceOptions } from "./options.ts";

/**
 * The case `advise` considered, and its advice.
 *
 * @example
 * ```ts
 * const method = ({ advice }: AdviseResult) => advice.choice?.kind;
 * console.log(method.length);
 * ```
 */
export interface AdviseResult {
  readonly case: AdviseCase;
  readonly advice: Advice;
}

/**
 * Recommends a method for data, model and machine, with figures: those of a pipeline, whose data, base and machine are
 * read, or those given. The same estimates as `plan`; starts and writes nothing.
 *
 * @throws {SpecError} when the pipeline cannot be used
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { advise } from "@temper/temper";
 *
 * const { advice } = await advise({
 *   parameters: 8e9,
 *   memory: 24 * 2 ** 30,
 *   rows: 5_000,
 *   tokensPerRow: 256,
 *   device: "cuda",
 * });
 * for (const { question, answer, because } of advice.branches) console.log(question, answer, because);
 * assert.equal(advice.choice?.kind, "lora");
 * ```
 */
export async function advise(
  about: string | Pipeline | Described,
  options: PipelineOptions & DeviceOptions = {},
): Promise<AdviseResult> {
  const found = typeof about === "object" && "parameters" in about
    ? caseOfNumbers(about)
    : await fromPipeline(about, options);
  return { case: found, advice: adviseOn(found.question) };
}

/** What speaks against the pipeline as it is does not matter here: its base is looked at by the case itself. */
async function fromPipeline(
  pipeline: string | Pipeline,
  given: PipelineOptions & DeviceOptions,
): Promise<AdviseCase> {
  const loading = await loadingOf(pipeline, given);
  const { inspect: _, ...options } = loading.options;
  const loaded = await loadPipeline({ ...loading, options });
  return await caseOfPipeline(loaded, loading.env, await dataSize(loaded, loading.env.fs, undefined));
}
