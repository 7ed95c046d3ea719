/**
 * temper as a library: what the commands do, as functions. Each takes the path of a pipeline file or a pipeline
 * defined in code.
 *
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
 *   method: { kind: "lora", rank: 4 },
 *   provider: { kind: "openai", base: "gpt-4.1-nano-2025-04-14", base_url: "http://127.0.0.1:1" },
 * }, { dir });
 * const { steps } = await plan(pipeline, { cwd: dir });
 * assert.equal(steps.length, 5);
 * await Deno.remove(dir, { recursive: true });
 * ```
 *
 * Nothing is read, written or printed by importing it. What goes wrong is thrown as a {@link TemperError}; a pipeline
 * that cannot be used as a {@link SpecError}, which carries every problem with its place.
 *
 * @module
 */
export { advise, type AdviseResult } from "./src/library/advise.ts";
export { cancel, type CancelOptions } from "./src/library/cancel.ts";
export { check, type CheckOptions, type CheckResult } from "./src/library/check.ts";
export { compare, type CompareOptions, type CompareResult } from "./src/library/compare.ts";
export {
  type DefineOptions,
  definePipeline,
  type Pipeline,
  type PipelineInput,
} from "./src/library/define_pipeline.ts";
export { doctor, type DoctorOptions } from "./src/library/doctor/doctor.ts";
export { explain, type ExplainResult } from "./src/library/explain.ts";
export { type FollowOptions, followRun } from "./src/library/follow_run.ts";
export { listRuns, type ListRunsOptions } from "./src/library/list_runs.ts";
export type { DataOptions, PipelineOptions } from "./src/library/load_pipeline.ts";
export type { HostedOptions, WorldOptions } from "./src/library/options.ts";
export { plan, planAll, type PlanOptions, type PlanResult } from "./src/library/plan.ts";
export { planPrune, prune, type PruneOptions } from "./src/library/prune.ts";
export { providerFields } from "./src/library/provider_fields.ts";
export { readRun } from "./src/library/read_run.ts";
export {
  register,
  type RegisterOptions,
  type RegisterResult,
  type UnregisterOptions,
} from "./src/library/register.ts";
export { resume, type ResumeOptions } from "./src/library/resume.ts";
export { type DrivingOptions, run, type RunOptions, type RunResult } from "./src/library/run.ts";
export { schema } from "./src/library/schema.ts";
export { tag, type TagOptions, type TagResult } from "./src/library/tag.ts";
export { unregister, type UnregisterResult } from "./src/library/unregister.ts";

export { LockedError, TemperError, UsageError } from "./src/lib/errors.ts";
export { SpecError } from "./src/spec/spec_error.ts";
export type { Problem } from "./src/spec/problem.ts";
export { renderProblem } from "./src/spec/render.ts";
export type { LoadAllResult, LoadedSpec } from "./src/spec/load.ts";

export { isKnown, type LogEvent, type UnknownEvent } from "./src/log/events.ts";
export type { RunState, StepState } from "./src/log/run_state.ts";

export type {
  ConfigureWork,
  DataSize,
  Env,
  JobRef,
  JobResult,
  MonitorWork,
  Preview,
  Progress,
  Provider,
  ProviderExtension,
  Providers,
  SubmitWork,
  Work,
} from "./src/providers/provider.ts";
export type { Diagnostic } from "./src/providers/diagnostic.ts";
export type { StepContext, StepExtension, StepExtensions, StepOutcome } from "./src/steps/step.ts";
