import { type Changes, changesSince } from "../run/changes.ts";
import { planSteps } from "../run/plan_steps.ts";
import { stepsWith } from "../steps/registry.ts";
import type { Pipeline } from "./define_pipeline.ts";
import { loadingOf, loadPipeline } from "./load_pipeline.ts";
import { worldOf } from "./options.ts";
import type { PlanOptions } from "./plan.ts";

/**
 * What `explain` found.
 *
 * @example
 * ```ts
 * const reasons = ({ changes }: ExplainResult) => changes?.steps.map(({ reason }) => reason);
 * console.log(reasons.length);
 * ```
 */
export interface ExplainResult {
  /** Name of the pipeline. */
  readonly name: string;
  /** How the keys of its steps differ from those of its latest run; undefined when there is none. */
  readonly changes: Changes | undefined;
}

/**
 * Explains why steps of a pipeline will run again: what changed since its latest run, old and new.
 *
 * @throws {SpecError} when the pipeline cannot be used
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { definePipeline, explain } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/rows.jsonl`, '{"prompt": "2 + 2", "completion": "4"}\n');
 * const pipeline = definePipeline({
 *   version: 1,
 *   name: "sums",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora" },
 *   provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
 * }, { dir });
 * const { changes } = await explain(pipeline, { cwd: dir });
 * for (const { kind, reason } of changes?.steps ?? []) console.log(kind, reason ?? "same");
 * assert.equal(changes, undefined);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function explain(
  pipeline: string | Pipeline,
  options: Omit<PlanOptions, "data"> = {},
): Promise<ExplainResult> {
  const loading = await loadingOf(pipeline, options);
  const loaded = await loadPipeline(loading);
  const { fs, runsDir } = worldOf(options);
  const { name } = loaded.spec;
  const planned = await planSteps(loaded, stepsWith(options.steps), loading.env);
  return { name, changes: await changesSince(fs, runsDir, name, planned) };
}
