import { join } from "node:path";
import type { JobResult, MonitorWork, Provider } from "../provider.ts";
import { type TrainingOptions, trainingProvider } from "../training/provider.ts";

/** Trains here, for Ollama to serve. */
export function ollamaProvider(options: Omit<TrainingOptions, "kind" | "finish"> = {}): Provider {
  return trainingProvider({ ...options, kind: "ollama", finish: describeRegistration });
}

/** The files are complete, so the registration is one command. */
function describeRegistration(work: MonitorWork, result: JobResult): Promise<JobResult> {
  const { provider } = work.loaded.spec;
  if (provider.kind !== "ollama") throw new TypeError("Cannot register: the provider is not Ollama");
  const modelfile = result.artifacts.find(({ kind }) => kind === "modelfile");
  const registration = modelfile
    ? {
      model: provider.model,
      reason: "registering the model comes with a later version",
      command: `ollama create ${provider.model} -f ${shellQuoted(join(work.runDir, modelfile.path))}`,
    }
    : { model: provider.model, reason: "provider.export.gguf is false: there is no file to serve" };
  return Promise.resolve({ ...result, metrics: { ...result.metrics, served: null, registration } });
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
