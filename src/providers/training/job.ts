import type { JsonObject } from "../../lib/json.ts";
import { resolveTraining } from "../../plan/defaults.ts";
import type { Spec } from "../../spec/schema.ts";
import type { BaseInfo } from "./base/base.ts";
import { TEMPLATES } from "./templates.ts";

/** A pipeline whose job can run here. */
export type TrainingSpec = Spec & {
  readonly provider: Exclude<Spec["provider"], { kind: "openai" }>;
};

export function trainingSpec(spec: Spec): TrainingSpec {
  if (spec.provider.kind === "openai") throw new TypeError("Cannot train here: the provider is hosted");
  return spec as TrainingSpec;
}

/**
 * job.json, version 1 (see trainer/README.md), without `data`. Everything is resolved: the trainer has no defaults
 * of its own, so the file alone says what was done. `system` is the system prompt all training rows share.
 */
export function jobSettings(spec: TrainingSpec, base: BaseInfo, system: string | undefined): JsonObject {
  const { train, evaluate, provider, method } = spec;
  const { epochs, learningRate } = resolveTraining(spec, base.shape?.parameters);
  return {
    version: 1,
    name: spec.name,
    base: base.job,
    template: provider.template === "auto" ? base.servedTemplate ?? "auto" : provider.template,
    templates: TEMPLATES,
    checks: { too_long: spec.dataset.checks.too_long },
    method: method.kind === "prefix" ? { ...method, init_text: method.init_text ?? system ?? null } : method,
    train: {
      ...train,
      epochs: epochs.value,
      learning_rate: learningRate.value,
      max_steps: train.max_steps ?? null,
    },
    evaluate: {
      metric: evaluate.metric,
      pattern: evaluate.pattern ?? null,
      reasoning: evaluate.reasoning,
      before: evaluate.before,
      max_new_tokens: evaluate.max_new_tokens,
      few_shot: evaluate.few_shot ?? null,
    },
    export: provider.export,
  };
}
