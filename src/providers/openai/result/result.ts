// deno-lint-ignore-file camelcase -- names of the log and of `show --json`
import { writeJson } from "../../../lib/json/json_file.ts";
import { join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import { shellWord } from "../../../lib/text/shell_word.ts";
import type { Json, JsonObject } from "../../../lib/json/json.ts";
import type { Artifact, JobResult, MonitorWork } from "../../provider.ts";
import type { Endpoint } from "../endpoint.ts";
import { priceOf } from "../estimate/price.ts";
import { type HostedSpec, hostedSpec, scoresBefore, suffixOf } from "../hosted_spec.ts";
import { evaluateHosted, type Evaluation } from "./evaluate.ts";
import { type JobFile, readJobFile } from "../job/job_file.ts";
import type { JobView } from "../job/job_view.ts";
import { keepResultFile, RESULT_FILE } from "./result_file.ts";
import type { Service } from "../service.ts";

/** The result of a finished job, with the same fields as that of a local training. */
export async function hostedResult(work: MonitorWork, service: Service, job: JobView): Promise<JobResult> {
  const spec = hostedSpec(work.loaded.spec);
  const model = job.fine_tuned_model;
  if (!model) {
    throw new TemperError(
      "no-model",
      `Cannot finish: job ${job.id} succeeded, but the service names no model`,
    );
  }
  const configured = await readJobFile(work.configured, work.fs);
  const numbers = await optional(work, "The result file", () => keepResultFile(work, service, job)) ?? {};
  const checkpoints = await optional(work, "The list of checkpoints", () => checkpointsOf(service, job.id)) ??
    [];
  const scores = await score(work, service, configured, model);
  const price = await priceOf(spec, work);
  const validLoss = numbers["full_valid_loss"] ?? numbers["valid_loss"];
  const cost = price && job.trained_tokens ? job.trained_tokens * price.training / 1e6 : null;
  const metrics: JsonObject = {
    metric: spec.evaluate.metric,
    before: scores?.before ?? null,
    after: scores?.after ?? null,
    few_shot: null,
    loss: { before: null, after: validLoss ?? null },
    perplexity: { before: null, after: validLoss === undefined ? null : Math.exp(validLoss) },
    eval_rows: configured.validation?.rows ?? null,
    changes: scores?.changes ?? null,
    served: null,
    fine_tuned_model: model,
    job: job.id,
    tokens: job.trained_tokens ?? null,
    cost_usd: cost,
    train_loss: numbers["loss"] ?? null,
    checkpoints,
    ...commandsFor(spec, service.endpoint, model),
  };
  return { metrics, artifacts: await artifactsOf(work) };
}

async function score(
  work: MonitorWork,
  service: Service,
  job: JobFile,
  model: string,
): Promise<Evaluation | undefined> {
  const { loaded } = work;
  if (!job.validation || loaded.spec.evaluate.metric === "none") return undefined;
  const { dialect } = service.endpoint;
  if (dialect.deployment) {
    const message =
      `Not scored: ${dialect.service} serves models only through deployments, which cost by the hour`;
    work.progress({ phase: "score", message });
    return undefined;
  }
  const before = scoresBefore(loaded) ? hostedSpec(loaded.spec).provider.base : undefined;
  return await optional(
    work,
    "The score",
    () => evaluateHosted(work, service, job, { before, after: model }),
  );
}

/** The model exists and was paid for: what is missing beside it is reported and does not fail the run. */
async function optional<T>(work: MonitorWork, what: string, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof TemperError) || work.signal.aborted) throw error;
    work.progress({ phase: "finish", message: `${what} is not available: ${error.message}` });
    return undefined;
  }
}

/** The command that calls the new model and, where it needs a deployment, the one that makes it. No key in either. */
function commandsFor(spec: HostedSpec, { dialect, baseUrl, keyEnv }: Endpoint, model: string) {
  const name = spec.provider.deploy_hint ?? suffixOf(spec);
  const deployment = dialect.deployment?.({ model, baseUrl, name });
  const messages = [{ role: "user", content: "Hello" }];
  const body = JSON.stringify({ model: deployment?.name ?? model, messages });
  const call = `curl -s ${baseUrl}/chat/completions -H "Authorization: Bearer $${keyEnv}" ` +
    `-H "Content-Type: application/json" -d ${shellWord(body)}`;
  return { call, ...deployment && { deploy: deployment.command } };
}

async function checkpointsOf(service: Service, id: string): Promise<Json[]> {
  return await service.read("list the checkpoints", async (options) => {
    const found: Json[] = [];
    for await (const checkpoint of service.client.fineTuning.jobs.checkpoints.list(id, {}, options)) {
      const { fine_tuned_model_checkpoint: model, step_number: step, metrics } = checkpoint;
      found.push({ model, step, metrics: JSON.parse(JSON.stringify(metrics ?? {})) });
    }
    return found;
  });
}

async function artifactsOf({ fs, runDir }: MonitorWork): Promise<Artifact[]> {
  const artifacts: Artifact[] = [];
  for (const [kind, name] of [["metrics", RESULT_FILE], ["predictions", "predictions.jsonl"]] as const) {
    const path = join(runDir, "job", name);
    const stat = await fs.stat(path);
    if (stat) artifacts.push({ kind, path: `job/${name}`, bytes: stat.size, sha256: await fs.sha256(path) });
  }
  return artifacts;
}

/** Writes the result into the step's output. */
export async function keepHostedResult({ fs, out }: MonitorWork, result: JobResult): Promise<void> {
  await writeJson(join(out, "result.json"), result, fs);
}
