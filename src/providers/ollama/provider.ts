import { TemperError, UsageError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import { GIVEN, givenBy } from "../../spec/origin.ts";
import type { Env, JobResult, MonitorWork, Provider, Setting, SubmitWork, Work } from "../provider.ts";
import { exportedOf } from "./exported_model.ts";
import { trainerOf, type TrainingOptions, trainingProvider } from "../trainer/provider.ts";
import { readServing, type Serving } from "../trainer/serving/serving.ts";
import { OllamaClient } from "./client.ts";
import { type Proof, prove } from "./proof.ts";
import { refuseTaken, register, type Registered } from "./register.ts";
import { SENT } from "./sent.ts";
import { authorized, DEFAULT, serverFields, serverOf } from "./server.ts";
import { talkCommand } from "./talk_command.ts";
import { refuseOldServer } from "./version.ts";

/** Trains here, then serves with Ollama. */
export function ollamaProvider(options: Omit<TrainingOptions, "kind" | "finish"> = {}): Provider {
  const training = trainingProvider({
    ...options,
    kind: "ollama",
    sent: SENT,
    delivery(loaded, { env }) {
      const { register, overwrite, keep_previous: keepPrevious } = settingsOf(loaded);
      const { address: { shown: server } } = serverOf(serverFields(loaded.spec), env);
      return { register, server, overwrite, keepPrevious };
    },
    finish: async (work, result) => await serve(work, result, await trainerOf(options, work).dir(work)),
  });
  return {
    ...training,
    settings: async (
      loaded,
      env,
    ) => [...await training.settings?.(loaded, env) ?? [], serverSetting(loaded, env)],
    async preview(loaded, env, data, configured) {
      const preview = await training.preview(loaded, env, data, configured);
      return { ...preview, settings: [...preview.settings, serverSetting(loaded, env)] };
    },
    async submit(work) {
      if (!work.job) await refuseBeforeTraining(work);
      return await training.submit(work);
    },
  };
}

function serverSetting(loaded: LoadedSpec, { env }: Env): Setting {
  const { address: { shown }, from } = serverOf(serverFields(loaded.spec), env);
  const field = "provider.server";
  const by = givenBy(loaded, field.split("."));
  if (by) return { field, value: shown, reason: GIVEN[by], from: by };
  return { field, value: shown, reason: from, from: from === DEFAULT ? "default" : "environment" };
}

function settingsOf({ spec: { provider } }: LoadedSpec) {
  if (provider.kind !== "ollama") throw new TypeError("Cannot register: the provider is not Ollama");
  return provider;
}

function clientFor({ loaded: { spec }, env, signal }: Work): OllamaClient {
  const fields = serverFields(spec);
  return new OllamaClient(authorized(serverOf(fields, env), fields, env), signal);
}

/** Fails before the training on what would otherwise fail hours later. */
async function refuseBeforeTraining(work: SubmitWork): Promise<void> {
  const settings = settingsOf(work.loaded);
  if (settings.register === "never") return;
  try {
    const client = clientFor(work);
    const version = await client.version();
    const serving = await readServing(work.configured, work.fs);
    if (serving && serving.template === undefined) refuseOldServer(client.server, version, settings.model);
    await refuseTaken(client, settings);
  } catch (error) {
    if (settings.register === "always" || error instanceof UsageError) throw error;
    work.signal.throwIfAborted();
    if (!(error instanceof TemperError) || error.code === "ollama-unreachable") return;
    warn(work, `Registering the model would fail now: ${withHint(error)}`);
  }
}

/** Registers the model and checks that it is served as it was trained. */
async function serve(work: MonitorWork, result: JobResult, trainerDir: string): Promise<JobResult> {
  const { spec } = work.loaded;
  const settings = settingsOf(work.loaded);
  const { model } = settings;
  const fields = serverFields(spec);
  const server = serverOf(fields, work.env).address.shown;
  const withOutcome = (registration: JsonObject, served: Proof | null = null) => ({
    ...result,
    metrics: { ...result.metrics, served, registration: { model, server, ...registration } },
  });
  if (settings.register === "never") {
    return withOutcome({ done: false, reason: "provider.register is never" });
  }
  let client: OllamaClient;
  let version: string;
  let registered: Awaited<ReturnType<typeof registerJob>>;
  try {
    client = clientFor(work);
    version = await client.version();
    registered = await registerJob(client, work, result);
  } catch (error) {
    work.signal.throwIfAborted();
    if (settings.register === "always" || !(error instanceof TemperError)) throw error;
    if (error.code !== "ollama-unreachable") warn(work, withHint(error));
    return withOutcome({ done: false, reason: error.message });
  }
  const { replaced, previous, jinja, think } = registered;
  const command = talkCommand(model, client.address, fields.auth_env, think);
  const registration = { done: true, version, command, replaced, ...previous !== undefined && { previous } };
  try {
    const proof = await prove(client, work, { model, jinja, evaluate: spec.evaluate, result, trainerDir });
    if (!proof) return withOutcome({ ...registration, unproven: "there are no held-out rows" });
    warnOfDifference(work, proof);
    return withOutcome(registration, proof);
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof TemperError)) throw error;
    warn(work, `The served answers were not measured: ${error.message}`);
    return withOutcome({ ...registration, unproven: error.message });
  }
}

function withHint({ message, hint }: TemperError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

async function registerJob(
  client: OllamaClient,
  work: MonitorWork,
  result: JobResult,
): Promise<Registered & Pick<Serving, "think">> {
  const { overwrite, keep_previous: keepPrevious } = settingsOf(work.loaded);
  const exported = await exportedOf(work.runDir, result, work.fs);
  if (!exported) throw new TypeError("Cannot register: Ollama's provider always exports a file");
  const registered = await register(client, { ...exported, overwrite, keepPrevious }, work);
  return { ...registered, think: exported.serving.think };
}

function warnOfDifference(work: Work, { rows, prompts_equal: equal }: Proof): void {
  if (equal === rows) return;
  warn(
    work,
    `The server's prompt differs from that of the training in ${
      rows - equal
    } of ${rows} rows: see served.jsonl`,
  );
}

function warn(work: Work, message: string): void {
  work.progress({ phase: "serve", message });
}
