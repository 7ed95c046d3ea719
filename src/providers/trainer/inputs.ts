import { sha256 } from "../../lib/files/fs.ts";
import { canonicalJson, type JsonObject } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env } from "../provider.ts";
import { describeBase } from "./base/describe.ts";
import type { Trainer } from "./environment/trainer_dir.ts";
import type { SentTools } from "./job/examples.ts";
import { chatTemplateOf, jobSettings, type TrainingSpec, trainingSpec } from "./job/job.ts";
import { TEMPLATES } from "./serving/templates.ts";

/** What the configured job depends on: no paths, nothing of this machine. */
export async function trainingInputs(
  loaded: LoadedSpec,
  env: Env,
  trainer: Trainer,
  sent?: SentTools,
): Promise<JsonObject> {
  const spec = trainingSpec(loaded.spec);
  const base = await describeBase(loaded, env);
  const chatTemplate = await chatTemplateOf(loaded, env.fs);
  return {
    ...jobSettings(spec, base, undefined),
    ...chatTemplate !== undefined && { chat_template: sha256(chatTemplate) },
    templates: sha256(canonicalJson(TEMPLATES)),
    base: base.identity,
    model: servedName(spec),
    trainer: await trainer.digest(),
    ...sent && { sent_tools: sent.version },
  };
}

/** The name to serve the model under. */
export function servedName({ provider, name }: TrainingSpec): string {
  return provider.kind === "ollama" ? provider.model : name;
}
