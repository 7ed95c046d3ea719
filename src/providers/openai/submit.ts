// deno-lint-ignore-file camelcase -- names of the protocol and of the pipeline file
import type { FineTuningJob, JobCreateParams } from "../../deps/openai.ts";
import { leavingOpen, TemperError, UsageError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import { explainError } from "../../lib/system_error.ts";
import type { JobRef, SubmitWork } from "../provider.ts";
import { endpointOf } from "./endpoint.ts";
import { refuseClosed } from "./estimate/closing.ts";
import { costText, wholeCost } from "./estimate/cost.ts";
import { priceOf } from "./estimate/price.ts";
import { type HostedSpec, hostedSpec } from "./hosted_spec.ts";
import { createOnce, JOB } from "./job/creation.ts";
import {
  createdSince,
  findByKey,
  jobsLike,
  KEY_FIELD,
  type Mark,
  RUN_FIELD,
  withoutFailed,
} from "./job/matching_jobs.ts";
import { type JobFile, readJobFile } from "./job/job_file.ts";
import type { HostedJob } from "./job/job_ref.ts";
import { type Intent, pendingIntent, refuseUnknown } from "./job/records.ts";
import { CallError, Service } from "./service.ts";
import { uploadOnce, type UploadOptions } from "./upload/upload.ts";

export type SubmitOptions = Omit<UploadOptions, "settleMs">;

const PHASE = "creating the job";
const LOOKS_FIRST =
  "Run the same command again: it looks for the job first and starts one only if there is none";

/** Uploads the files and creates the job, or adopts the one that exists. Never pays for the same training twice. */
export async function submitHosted(work: SubmitWork, options: SubmitOptions): Promise<JobRef> {
  if (work.job) return work.job;
  const records = [...work.records];
  refuseUnknown(records);
  const record: SubmitWork["record"] = async (made, progress) => {
    await work.record(made, progress);
    records.push(made);
  };
  try {
    return await findOrCreate({ ...work, record }, options);
  } catch (thrown) {
    if (!pendingIntent(records, JOB)) throw thrown;
    const error = explainError("Cannot start the job", thrown);
    // A new run would not know that a job may have been created; one in doubt is listed, so any run asks about it.
    throw error.code === "job-in-doubt" ? error : leavingOpen(error, LOOKS_FIRST);
  }
}

async function findOrCreate(work: SubmitWork, options: SubmitOptions): Promise<JobRef> {
  const spec = hostedSpec(work.loaded.spec);
  const endpoint = endpointOf(spec, work.env);
  const job = await readJobFile(work.configured, work.fs);
  const service = await Service.forStep(endpoint, work, PHASE);
  const settleMs = spec.provider.settle_seconds * 1000;
  const adopted = await adopt(work, service);
  const own = adopted ?? await findOwn(work, service);
  if (own) return await commit(work, service, own, "adopted");
  await refuseOverBudget(work, spec, job);
  refuseClosed(spec, endpoint, work.clock.now());
  const upload = { ...options, settleMs };
  const trainingFile = await uploadOnce(work, service, job.training, upload);
  const validationFile = job.validation && await uploadOnce(work, service, job.validation, upload);
  const suffix = String(job.create["suffix"]);
  const mark: Mark = { key: work.key, runId: work.runId, suffix, trainingFile };
  const created = await createJob(work, service, { job, mark, validationFile, settleMs });
  return await commit(work, service, created, "created");
}

/** The job that --adopt names. */
async function adopt({ asked }: SubmitWork, service: Service): Promise<FineTuningJob | undefined> {
  const id = asked?.adopt;
  if (id === undefined) return undefined;
  try {
    return await service.read(
      `read job ${id}`,
      (options) => service.client.fineTuning.jobs.retrieve(id, options),
    );
  } catch (error) {
    if (!(error instanceof TemperError) || error.code !== "http-404") throw error;
    throw new UsageError(
      "no-such-job",
      `Cannot adopt job "${id}": ${service.endpoint.dialect.service} has no job with this id`,
    );
  }
}

/** Before anything is uploaded: a job of this key, where the service lists jobs by metadata. */
async function findOwn(work: SubmitWork, service: Service): Promise<FineTuningJob | undefined> {
  if (service.endpoint.dialect.findsJobsBy !== "metadata") return undefined;
  const mark = { key: work.key, runId: work.runId, suffix: "", trainingFile: "" };
  return await findByKey(service, mark, work.asked?.createAnyway === true);
}

interface NewJob {
  readonly job: JobFile;
  readonly mark: Mark;
  readonly validationFile: string | null;
  readonly settleMs: number;
}

async function createJob(work: SubmitWork, service: Service, made: NewJob): Promise<FineTuningJob> {
  const { mark, settleMs } = made;
  const body = bodyOf(service, made);
  try {
    return await createOnce<FineTuningJob>(work, {
      what: JOB,
      phase: PHASE,
      effect: "the job was started",
      settleMs,
      find: (intent) => find(work, service, mark, intent),
      async intent() {
        if (service.endpoint.dialect.findsJobsBy === "metadata") return {};
        const known = (await jobsLike(service, mark, work.clock.now())).map(({ id }) => id);
        return { suffix: mark.suffix, training_file: mark.trainingFile, known };
      },
      create: () =>
        service.once("start the job", (options) => service.client.fineTuning.jobs.create(body, options)),
    });
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown;
    throw new TemperError(
      "ambiguous-submit",
      `Cannot tell whether the job was started: ${thrown.error.message}, and for ` +
        `${settleMs / 1000} s the service listed no such job`,
      {
        hint: LOOKS_FIRST,
        cause: thrown,
      },
    );
  }
}

function bodyOf({ endpoint }: Service, { job, mark, validationFile }: NewJob): JobCreateParams {
  const body: JsonObject = {
    ...job.create,
    training_file: mark.trainingFile,
    ...validationFile !== null && { validation_file: validationFile },
    ...endpoint.dialect.findsJobsBy === "metadata" &&
      { metadata: { [KEY_FIELD]: mark.key, [RUN_FIELD]: mark.runId } },
  };
  // The client's types describe OpenAI's own body alone.
  return body as unknown as JobCreateParams;
}

async function find(
  work: SubmitWork,
  service: Service,
  mark: Mark,
  intent: Intent | undefined,
): Promise<FineTuningJob | undefined> {
  const anyway = work.asked?.createAnyway === true;
  if (service.endpoint.dialect.findsJobsBy === "metadata") return await findByKey(service, mark, anyway);
  const alike = await jobsLike(service, mark, work.clock.now());
  if (intent) {
    const [mine, ...others] = createdSince(alike, intent);
    if (mine && others.length === 0) return mine;
    if (!mine) return undefined;
    throw inDoubt(service, [mine, ...others]);
  }
  const same = withoutFailed(alike);
  if (same.length > 0 && !anyway) throw inDoubt(service, same);
  return undefined;
}

function inDoubt({ endpoint }: Service, jobs: readonly FineTuningJob[]): TemperError {
  const lines = jobs.map(({ id, status, created_at: created, model }) =>
    `\n  ${id}: ${status}, ${model}, created ${new Date(created * 1000).toISOString()}`
  );
  return new TemperError(
    "job-in-doubt",
    `Cannot start a job: ${endpoint.dialect.service} stores no metadata, and there ${
      jobs.length === 1 ? "is a job" : "are jobs"
    } with the same suffix and training file${lines.join("")}`,
    {
      hint:
        "Run again with --adopt ID to use one of them, or with --create-anyway to start and pay for another",
    },
  );
}

async function commit(
  work: SubmitWork,
  service: Service,
  job: FineTuningJob,
  how: "created" | "adopted",
): Promise<JobRef> {
  const { dialect, baseUrl, keyEnv } = service.endpoint;
  const ref: JobRef & HostedJob = {
    provider: "openai",
    id: job.id,
    dialect: dialect.name,
    base_url: baseUrl,
    api_key_env: keyEnv,
    model: job.model,
    how,
    started: new Date(job.created_at * 1000).toISOString(),
  };
  await work.submitted(ref);
  if (how === "adopted") {
    work.progress({
      phase: PHASE,
      message: `Adopted job ${job.id}, which exists already (${job.status}): nothing was started`,
    });
  }
  return ref;
}

/** Prints the estimated price, and stops before the upload when it is above the budget. */
async function refuseOverBudget(work: SubmitWork, { provider }: HostedSpec, job: JobFile): Promise<void> {
  const price = await priceOf(hostedSpec(work.loaded.spec), work);
  const { budget_usd: budget } = provider;
  if (!price) {
    if (budget === undefined) return;
    throw new TemperError(
      "no-price",
      `Cannot check provider.budget_usd: no price is known for ${provider.base}`,
      {
        hint: "Set provider.price, or pass --prices FILE",
      },
    );
  }
  const cost = wholeCost(work.loaded, job.tokens, job.epochs, price, job.validation?.rows ?? 0);
  const text = `${costText(cost)} (${price.source})`;
  if (budget === undefined || cost.most <= budget) {
    return work.progress({ phase: PHASE, message: `Estimated price ${text}` });
  }
  throw new TemperError(
    "over-budget",
    `Cannot start the job: the estimate is ${text}, but provider.budget_usd is $${budget}`,
    {
      hint: "Nothing was uploaded. Raise the budget, lower train.epochs or use fewer rows",
    },
  );
}
