import { writeJson } from "../../lib/json/json_file.ts";
import { join } from "../../deps/path.ts";
import { TemperError, UsageError } from "../../lib/errors.ts";
import { count, counted } from "../../lib/text/format.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import type { Dialect } from "../../spec/dialects/dialect.ts";
import { DIALECTS } from "../../spec/dialects/registry.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import { oneOf } from "../../spec/schema/value_text.ts";
import type { ConfigureWork, Env } from "../provider.ts";
import { endpointOf } from "./endpoint.ts";
import {
  createBody,
  dialectOf,
  epochsOf,
  type HostedSpec,
  hostedSpec,
  rowLimit,
  scoresBefore,
} from "./hosted_spec.ts";
import { JOB_FILE, type JobFile, tokenTotals } from "./job/job_file.ts";
import { goalOf, writeExamples, type WrittenFile } from "./upload/example_file.ts";
import { loadTokenizer } from "./upload/tokens.ts";

/** Raised when the same rows give another file or another body than before. */
const FORM = 1;

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

export async function configureHosted(work: ConfigureWork): Promise<JsonObject> {
  const { loaded, examples, out, fs, signal } = work;
  const spec = hostedSpec(loaded.spec);
  const goal = await goalOf(join(examples, "train.jsonl"), fs);
  if (goal === "dpo") refusePairs(dialectOf(spec));
  const countText = await loadTokenizer();
  const drops = spec.dataset.checks.too_long === "drop";
  const options = { goal, limit: rowLimit(loaded), drops, count: countText, signal };
  const training = await writeExamples(join(examples, "train.jsonl"), out, fs, options);
  const held = await fs.stat(join(examples, "eval.jsonl"))
    ? await writeExamples(join(examples, "eval.jsonl"), out, fs, options)
    : undefined;
  refuseFew(spec, training);
  if (held?.file.rows === 0) throw nothingHeld();
  warnOfLong(work, [training, ...held ? [held] : []]);
  const job: JobFile = {
    version: 1,
    goal,
    create: createBody(loaded, training.file.rows, goal),
    epochs: epochsOf(spec, training.file.rows),
    training: training.file,
    validation: held?.file ?? null,
    tokens: tokenTotals(training.tokens, held?.tokens),
  };
  await writeJson(join(out, JOB_FILE), job, fs);
  return summary(spec, job, training, held);
}

function summary(
  spec: HostedSpec,
  job: JobFile,
  { tokens, longCount }: WrittenFile,
  held: WrittenFile | undefined,
): JsonObject {
  const drops = spec.dataset.checks.too_long === "drop";
  return {
    base: spec.provider.base,
    goal: job.goal,
    rows: job.training.rows,
    eval_rows: job.validation?.rows ?? 0,
    tokens: job.tokens.train.most,
    longest: tokens.longest,
    truncated: drops ? 0 : longCount,
    ...drops && longCount > 0 && { dropped: longCount },
    ...drops && held && held.longCount > 0 && { eval_dropped: held.longCount },
    epochs: job.epochs,
  };
}

function refusePairs({ trainsPreferencePairs, service }: Dialect): void {
  if (trainsPreferencePairs) return;
  const others = Object.values(DIALECTS).filter((dialect) => dialect.trainsPreferencePairs);
  throw new UsageError("no-dpo", `Cannot train on preference pairs: ${service} does not document it`, {
    hint: `Use dialect ${oneOf(others.map(({ name }) => name))}`,
  });
}

function refuseFew(spec: HostedSpec, { file }: WrittenFile): void {
  const { service, limits: { leastRows } } = dialectOf(spec);
  if (file.rows >= leastRows) return;
  throw new UsageError(
    "too-few-rows",
    `Cannot use the dataset: ${counted(file.rows, "training row")}, ${service} needs at least ${leastRows}`,
    { hint: "Add rows to dataset.source, or hold out fewer in dataset.split" },
  );
}

function nothingHeld(): UsageError {
  return new UsageError("dataset-empty", "Cannot use the dataset: every held-out row is too long", {
    hint: "Shorten the rows, or raise train.max_length",
  });
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
  if (severity === "drop") return work.progress({ phase: "configure", message: `Left out: ${found}` });
  if (severity === "warn") return work.progress({ phase: "configure", message: found });
  throw new TemperError("too-long", `Cannot use the dataset: ${found}`, {
    exitCode: 2,
    hint:
      "Shorten the rows, or set the check to drop, which leaves them out, or to warn: the service cuts longer " +
      "rows without an error",
  });
}
