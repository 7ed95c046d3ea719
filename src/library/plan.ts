import type { JsonObject } from "../lib/json/json.ts";
import type { Plan } from "../plan/plan.ts";
import type { DataSize, Env, Examples, Preview } from "../providers/provider.ts";
import { providerFor } from "../providers/registry.ts";
import { type CacheHit, type CacheMiss, findCached } from "../run/cache.ts";
import { changesSince } from "../run/changes.ts";
import { planSteps } from "../run/plan_steps.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { ProblemRows } from "../spec/problem.ts";
import { dataSize } from "../steps/data_size.ts";
import { stepsWith } from "../steps/registry.ts";
import type { StepExtensions } from "../steps/step.ts";
import { unusedFields, unusedText } from "../view/unused_text.ts";
import type { Pipeline } from "./define_pipeline.ts";
import {
  type DataOptions,
  loadCombinations,
  type Loading,
  loadingOf,
  loadPipeline,
  type PipelineOptions,
} from "./load_pipeline.ts";
import { type DeviceOptions, worldOf } from "./options.ts";

/**
 * How a pipeline is planned.
 *
 * @example
 * ```ts
 * const options: PlanOptions = { set: ["train.epochs=2"], cell: "rank-8" };
 * ```
 */
export interface PlanOptions extends PipelineOptions, DeviceOptions, DataOptions {
  /** Steps of one's own, by the step they replace. */
  readonly steps?: StepExtensions;
}

/** Whether a step will run, and why. */
export interface StepPreview {
  readonly kind: string;
  readonly key: string;
  readonly cached: boolean;
  readonly why: string;
}

/**
 * What a run would do, with its estimates.
 *
 * @example
 * ```ts
 * const toRun = ({ steps }: PlanResult) => steps.filter(({ cached }) => !cached).map(({ kind }) => kind);
 * console.log(toRun.length);
 * ```
 */
export interface PlanResult {
  readonly name: string;
  /** The same of the pipeline as a whole, where this is one combination of its matrix. */
  readonly pipeline: string;
  /** Which combination of the pipeline's matrix it is; absent when it has none. */
  readonly cell?: string;
  readonly method: string;
  readonly provider: string;
  /** The steps with their keys and what the keys are made of. */
  readonly plan: Plan;
  readonly steps: readonly StepPreview[];
  readonly data: DataSize;
  /** What was found in the rows, and stops nothing. Empty where they were not read. */
  readonly warnings: readonly DataWarning[];
  /** Unused fields of the rows, if the format step's output is known. */
  readonly unused: readonly JsonObject[];
  /** The same as text, including those not listed. */
  readonly unusedText: string | undefined;
  /** Resolved settings, estimates and what to read before running. */
  readonly preview: Preview;
}

/** Something in the rows that stops nothing. */
export interface DataWarning {
  /** Dotted path of the field that it is about. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
  readonly rows?: ProblemRows;
}

/**
 * Shows what a run would do and why, with tokens, memory and time. Reads files, the rows of the data among them; starts
 * and writes nothing.
 *
 * @throws {SpecError} when the pipeline or its data cannot be used
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { definePipeline, plan } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/rows.jsonl`, '{"prompt": "2 + 2", "completion": "4"}\n');
 * const pipeline = definePipeline({
 *   version: 1,
 *   name: "sums",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora" },
 *   provider: { kind: "openai", base: "gpt-4.1-nano-2025-04-14", base_url: "http://127.0.0.1:1" },
 * }, { dir });
 * const { steps, preview } = await plan(pipeline, { cwd: dir });
 * assert.deepEqual(steps.map(({ kind }) => kind), ["extract", "format", "configure", "submit", "monitor"]);
 * for (const { name, text, basis } of preview.estimates) console.log(`${name}: ${text} (${basis})`);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function plan(pipeline: string | Pipeline, options: PlanOptions = {}): Promise<PlanResult> {
  const loading = await planLoading(pipeline, options);
  return await planLoaded(await loadPipeline(loading), loading, options);
}

/**
 * The plans of every combination of a pipeline's matrix; a single one without a matrix.
 *
 * @throws {SpecError} when the pipeline cannot be used
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { definePipeline, planAll } from "@temper/temper";
 *
 * const dir = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${dir}/rows.jsonl`, '{"prompt": "2 + 2", "completion": "4"}\n');
 * const pipeline = definePipeline({
 *   version: 1,
 *   name: "sums",
 *   dataset: { source: "rows.jsonl" },
 *   method: { kind: "lora" },
 *   provider: { kind: "openai", base: "gpt-4.1-nano-2025-04-14", base_url: "http://127.0.0.1:1" },
 *   matrix: { "train.epochs": [1, 2] },
 * }, { dir });
 * const plans = await planAll(pipeline, { cwd: dir });
 * assert.deepEqual(plans.map(({ cell }) => cell), ["epochs-1", "epochs-2"]);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function planAll(
  pipeline: string | Pipeline,
  options: PlanOptions = {},
): Promise<readonly PlanResult[]> {
  const loading = await planLoading(pipeline, options);
  const plans: PlanResult[] = [];
  for (const loaded of await loadCombinations(loading)) {
    plans.push(await planLoaded(loaded, loading, options));
  }
  return plans;
}

/** Rows that a run has read are not read again: what it stored says what is wrong with them. */
async function planLoading(pipeline: string | Pipeline, options: PlanOptions): Promise<Loading> {
  if (options.data === false) return await loadingOf(pipeline, options);
  const { DataReader } = await import("./data_reader.ts");
  const { steps = {} } = options;
  return await loadingOf(pipeline, options, (env) => new DataReader(env, { steps, useCache: true }));
}

async function planLoaded(
  loaded: LoadedSpec,
  { env, reader }: Loading,
  options: PlanOptions,
): Promise<PlanResult> {
  const { runsDir } = worldOf(options);
  const { name, method, provider: { kind: provider } } = loaded.spec;
  const planned = await planSteps(loaded, stepsWith(options.steps), env);
  const changes = await changesSince(env.fs, runsDir, name, planned);
  const hits = new Map<string, CacheHit>();
  const steps: StepPreview[] = [];
  for (const { kind, key, cached } of planned.steps) {
    const found = cached ? await (reader ? reader.findStored(key) : findCached(env, key)) : undefined;
    if (found?.hit) hits.set(kind, found);
    const changed = changes?.steps.find((step) => step.kind === kind);
    steps.push({ kind, key, cached: found?.hit === true, why: why(found, changed?.reason) });
  }
  const known = await reader?.read(loaded);
  const examples = known?.formatted ?? storedExamples(hits.get("format"), env);
  const data = await dataSize(loaded, env.fs, examples);
  const preview = await (await providerFor(provider, env))
    .preview(loaded, env, data, hits.get("configure")?.dir, examples);
  const formatted = hits.get("format")?.summary;
  return {
    name,
    pipeline: loaded.cell?.pipeline ?? name,
    ...loaded.cell && { cell: loaded.cell.label },
    method: method.kind,
    provider,
    plan: planned,
    steps,
    data,
    warnings: (known?.problems ?? []).map(({ path, message, hint, rows }): DataWarning => ({
      path: path.join("."),
      message,
      ...hint !== undefined && { hint },
      ...rows && { rows },
    })),
    unused: unusedFields(formatted),
    unusedText: unusedText(formatted),
    preview,
  };
}

function storedExamples(hit: CacheHit | undefined, { fs }: Env): Examples | undefined {
  return hit && { fs, dir: hit.dir };
}

/** `found`: undefined for a step whose output is not stored. */
function why(found: CacheHit | CacheMiss | undefined, reason: string | undefined): string {
  if (found?.hit) return `cached by ${found.run}`;
  if (found?.damaged !== undefined) return `cached output is damaged: ${found.damaged}`;
  if (!found) return reason ?? "never cached: a job is started once, then followed";
  return reason ?? "not in the cache";
}
