import { resolve } from "../../../deps/path.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { resolveTraining } from "../../../plan/defaults.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import { isTemplateFile } from "../../../spec/rules/template_file.ts";
import type { BaseInfo } from "../base/base.ts";
import { TEMPLATES } from "../serving/templates.ts";

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
 * of its own, so the file alone says what was done. `system` is the system prompt all training rows share,
 * `chatTemplate` the text of the file that provider.template names.
 */
export function jobSettings(
  spec: TrainingSpec,
  base: BaseInfo,
  system: string | undefined,
  chatTemplate: string | undefined = undefined,
): JsonObject {
  const { train, evaluate, provider, method } = spec;
  const { epochs, learningRate } = resolveTraining(spec, base.shape?.parameters);
  return {
    version: 1,
    name: spec.name,
    base: base.job,
    template: templateName(provider.template, base),
    chat_template: chatTemplate ?? null,
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

function templateName(asked: string, base: BaseInfo): string {
  if (isTemplateFile(asked)) return "jinja";
  return asked === "auto" ? base.servedTemplate ?? "auto" : asked;
}

/** The text of the file that provider.template names; `undefined` where it names none. */
export async function chatTemplateOf(loaded: LoadedSpec, fs: Fs): Promise<string | undefined> {
  const { template } = trainingSpec(loaded.spec).provider;
  return isTemplateFile(template) ? await fs.readText(resolve(loaded.dir, template)) : undefined;
}
