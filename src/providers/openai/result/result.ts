// deno-lint-ignore-file camelcase -- names of the log and of `show --json`
import { join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { Json, JsonObject } from "../../../lib/json/json.ts";
import type { Artifact, JobResult, MonitorWork } from "../../provider.ts";
import { scoresBefore } from "../configure.ts";
import { hostedSpec } from "../dialects/dialect.ts";
import { evaluateHosted, type Evaluation } from "./evaluate.ts";
import { type JobFile, readJobFile } from "../job/job_file.ts";
import type { JobView } from "../job/job_view.ts";
import { priceOf } from "../dialects/prices.ts";
import { keepResultFile, RESULT_FILE } from "./result_file.ts";
import type { Service } from "../service.ts";
import { callOf } from "../dialects/snippet.ts";

/** What a finished job is worth, in the words of `show`: the same as of a local training. */
export async function hostedResult(work: MonitorWork, service: Service, job: JobView): Promise<JobResult> {
  const spec = hostedSpec(work.loaded.spec);
  const model = job.fine_tuned_model;
  if (!model) {
    throw new TemperError(
      "no-model",
      `Cannot finish: job ${job.id} succeeded, and the service names no model`,
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
    ...callOf(spec, service.endpoint, model),
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
  if (service.endpoint.dialect.name === "azure") {
    const message = "Not scored: Azure answers through a deployment alone, which costs by the hour";
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

/** What is missing beside a model that was paid for is said, and does not fail the run. */
async function optional<T>(work: MonitorWork, what: string, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof TemperError) || work.signal.aborted) throw error;
    work.progress({ phase: "finish", message: `${what} is missing: ${error.message}` });
    return undefined;
  }
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
  await fs.writeAtomic(join(out, "result.json"), JSON.stringify(result, null, 2) + "\n");
}
