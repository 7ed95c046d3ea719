import { join } from "../../deps/path.ts";
import { TemperError, UsageError } from "../../lib/errors.ts";
import { count, counted } from "../../lib/text/format.ts";
import type { Json, JsonObject } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { ConfigureWork, Env } from "../provider.ts";
import { dialectOf, endpointOf, type HostedSpec, hostedSpec } from "./dialects/dialect.ts";
import { goalOf, writeExamples, type WrittenFile } from "./upload/example_file.ts";
import { JOB_FILE, type JobFile } from "./job/job_file.ts";
import { epochsOf, type Goal, hyperparameters, isGiven, suffixOf } from "./dialects/presets.ts";
import { loadTokenizer } from "./upload/tokens.ts";

/** Raised when the same rows give another file or another body than before. */
const FORM = 1;
/** Documented for gpt-4o; for gpt-4.1 and others an assumption. */
const SERVICE_LIMIT = 65_536;
const LEAST_ROWS = 10;

export function hostedInputs(loaded: LoadedSpec, env: Env): Promise<JsonObject> {
  const spec = hostedSpec(loaded.spec);
  const { dialect, baseUrl } = endpointOf(spec, env.env);
  const { metric, pattern, max_new_tokens: longest } = spec.evaluate;
  return Promise.resolve({
    form: FORM,
    dialect: dialect.name,
    service: baseUrl,
    body: createBody(loaded, 0, "supervised"),
    epochs: spec.train.epochs ?? "by rows",
    beta: spec.provider.beta ?? null,
    limit: rowLimit(loaded),
    too_long: spec.dataset.checks.too_long,
    evaluate: { metric, pattern: pattern ?? null, before: scoresBefore(loaded), max_new_tokens: longest },
  });
}

/** Scoring the base costs money here, so only who asks for it gets it. */
export function scoresBefore(loaded: LoadedSpec): boolean {
  return loaded.spec.evaluate.before && isGiven(loaded, "evaluate.before");
}

export async function configureHosted(work: ConfigureWork): Promise<JsonObject> {
  const { loaded, examples, out, fs, signal } = work;
  const spec = hostedSpec(loaded.spec);
  const goal = await goalOf(join(examples, "train.jsonl"), fs);
  if (goal === "dpo" && dialectOf(spec).name === "nebius") {
    throw new UsageError("no-dpo", "Cannot train on preference pairs: Nebius documents no such training", {
      hint: "Use dialect openai or azure",
    });
  }
  const countText = await loadTokenizer();
  const options = { goal, limit: rowLimit(loaded), count: countText, signal };
  const training = await writeExamples(join(examples, "train.jsonl"), out, fs, options);
  const held = await fs.stat(join(examples, "eval.jsonl"))
    ? await writeExamples(join(examples, "eval.jsonl"), out, fs, options)
    : undefined;
  refuseFew(spec, training);
  warnOfLong(work, [training, ...held ? [held] : []]);
  const job: JobFile = {
    version: 1,
    goal,
    create: createBody(loaded, training.file.rows, goal),
    epochs: epochsOf(spec, training.file.rows),
    training: training.file,
    validation: held?.file ?? null,
    tokens: {
      train: training.tokens,
      eval: held?.tokens ?? { least: 0, most: 0 },
      evalPrompt: held?.prompt ?? 0,
      evalAnswer: held?.answer ?? 0,
    },
  };
  await fs.writeAtomic(join(out, JOB_FILE), JSON.stringify(job, null, 2) + "\n");
  return summary(spec, job, training);
}

function summary(spec: HostedSpec, job: JobFile, { longest, longCount }: WrittenFile): JsonObject {
  return {
    base: spec.provider.base,
    goal: job.goal,
    rows: job.training.rows,
    eval_rows: job.validation?.rows ?? 0,
    tokens: job.tokens.train.most,
    longest,
    truncated: longCount,
    epochs: job.epochs,
  };
}

/** The call that creates the job, as the dialect spells it, without files and metadata. */
function createBody(loaded: LoadedSpec, rows: number, goal: Goal): JsonObject {
  const spec = hostedSpec(loaded.spec);
  const { provider, train } = spec;
  const hyper = hyperparameters(loaded, rows, goal);
  const common = { model: provider.base, suffix: suffixOf(spec) };
  const integrations = provider.integrations && {
    integrations: provider.integrations.map(({ kind, ...wandb }) => ({ type: kind, [kind]: present(wandb) })),
  };
  switch (dialectOf(spec).name) {
    case "nebius":
      return { ...common, hyperparameters: hyper, ...integrations };
    case "openai":
      return { ...common, seed: train.seed, method: methodOf(goal, hyper), ...integrations };
    case "azure":
      return {
        ...common,
        seed: train.seed,
        method: methodOf(goal, hyper),
        trainingType: "Standard",
        ...integrations,
      };
  }
}

function methodOf(goal: Goal, hyperparameters: JsonObject): JsonObject {
  return { type: goal, [goal]: { hyperparameters } };
}

function present(object: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as JsonObject;
}

function rowLimit(loaded: LoadedSpec): number {
  return isGiven(loaded, "train.max_length")
    ? Math.min(SERVICE_LIMIT, loaded.spec.train.max_length)
    : SERVICE_LIMIT;
}

function refuseFew(spec: HostedSpec, { file }: WrittenFile): void {
  if (file.rows >= LEAST_ROWS) return;
  const { service } = dialectOf(spec);
  throw new UsageError(
    "too-few-rows",
    `Cannot use the dataset: ${counted(file.rows, "training row")}, ${service} takes ${LEAST_ROWS} or more`,
    { hint: "Add rows to dataset.source, or hold out fewer in dataset.split" },
  );
}

function warnOfLong(work: ConfigureWork, files: readonly WrittenFile[]): void {
  const total = files.reduce((sum, { longCount }) => sum + longCount, 0);
  const { too_long: severity } = work.loaded.spec.dataset.checks;
  if (total === 0 || severity === "off") return;
  const limit = rowLimit(work.loaded);
  const rows = files.flatMap(({ long }) => long).slice(0, 5)
    .map(({ origin, tokens }) => `\n  ${origin}: has ${count(tokens)} tokens`);
  const found = `${counted(total, "row")} longer than ${count(limit)} tokens (dataset.checks.too_long)${
    rows.join("")
  }`;
  if (severity === "warn") return work.progress({ phase: "configure", message: found });
  throw new TemperError("too-long", `Cannot use the dataset: ${found}`, {
    exitCode: 2,
    hint:
      "Shorten the rows, or set the check to warn: the service cuts what is over its own limit without a word",
  });
}
