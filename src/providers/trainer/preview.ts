import { bytes, count, duration, figure } from "../../lib/text/format.ts";
import { leftOutText } from "../../lib/text/left_out.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import type { ArtifactSizes } from "../../plan/artifacts.ts";
import type { Costs } from "../../plan/costs.ts";
import { type Layout, layoutText } from "../../plan/layout.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { DataSize, Env, Estimate, Preview } from "../provider.ts";
import type { BaseInfo } from "./base/base.ts";
import { describeBase } from "./base/describe.ts";
import {
  estimatedTokens,
  processedEpochs,
  type ShapedBase,
  type TokenCounts,
  trainingCosts,
} from "./estimate/training_costs.ts";
import { CHECKPOINTS, methodNotes } from "./estimate/method_notes.ts";
import { trainingSettings } from "./estimate/settings.ts";
import { type TrainingSpec, trainingSpec } from "./job/job.ts";
import type { Device } from "./environment/machine.ts";
import type { Tokens } from "./job/trainer_files.ts";

/** What training here would take. */
export async function trainingPreview(
  loaded: LoadedSpec,
  env: Env,
  data: DataSize,
  configured: string | undefined,
): Promise<Preview> {
  const base = await describeBase(loaded, env);
  const spec = trainingSpec(loaded.spec);
  const prepared = configured === undefined ? undefined : await preparedTokens(configured, env.fs);
  const tokens = prepared ? countedTokens(prepared) : estimatedTokens(spec, data);
  const rows = data.trainRows - (prepared?.train.dropped ?? 0);
  const estimates = await trainingEstimates(spec, env, base, tokens, rows);
  const leftOut = leftOutText(prepared?.train.dropped, prepared?.eval?.dropped);
  const notes = [
    ...base.warnings,
    ...base.shape === null ? [] : methodNotes(spec, base.shape),
    ...await servingNotes(spec, env, configured),
    ...prepared ? (await import("./serving/template_notes.ts")).templateNotes(prepared) : [],
    ...leftOut === undefined ? [] : [`${leftOut} (dataset.checks.too_long: drop)`],
  ];
  return { base: baseText(base), settings: trainingSettings(loaded, base), estimates, notes };
}

/** What configure has counted. Its schemas are loaded where there is something to read with them. */
async function preparedTokens(configured: string, fs: Env["fs"]): Promise<Tokens> {
  const { readTokens } = await import("./job/trainer_files.ts");
  return await readTokens(configured, fs);
}

/** What the server has to be able to do, once the rows have shown it. */
async function servingNotes(
  { provider }: TrainingSpec,
  { fs }: Env,
  configured: string | undefined,
): Promise<string[]> {
  if (provider.kind !== "ollama" || configured === undefined) return [];
  const { readServing } = await import("./serving/serving.ts");
  const serving = await readServing(configured, fs);
  if (!serving || serving.template !== undefined) return [];
  return ["The model uses the Jinja chat template in its file: Ollama 0.30 or newer is required"];
}

function baseText(base: BaseInfo): string {
  const facts = [
    base.arch,
    base.shape && `${figure(base.shape.parameters / 1e6)} M parameters`,
    base.quantization,
  ].filter((fact) => fact);
  return facts.length === 0 ? base.name : `${base.name} (${facts.join(", ")})`;
}

/** What a training takes; of a base whose shape is not known yet, its tokens alone. */
export async function trainingEstimates(
  spec: TrainingSpec,
  env: Env,
  base: BaseInfo,
  tokens: TokenCounts,
  rows: number,
): Promise<Estimate[]> {
  return base.shape === null
    ? [tokensEstimate(tokens, 1)]
    : await shapedEstimates(spec, env, { ...base, shape: base.shape }, tokens, rows);
}

/** The tokens of prepared rows. */
export function countedTokens({ train, eval: held }: Tokens): TokenCounts {
  return {
    train: train.tokens,
    supervised: train.supervised,
    eval: held?.tokens ?? 0,
    longest: train.longest,
    how: "counted",
  };
}

async function shapedEstimates(
  spec: TrainingSpec,
  env: Env,
  base: ShapedBase,
  tokens: TokenCounts,
  rows: number,
): Promise<Estimate[]> {
  const { costs, device } = await trainingCosts(spec, env, base, tokens, rows);
  const { trainable, memory, artifacts } = costs;
  const { parameters } = base.shape;
  return [
    tokensEstimate(tokens, processedEpochs(spec, rows)),
    {
      name: "trainable parameters",
      text: `${count(trainable)} of ${count(parameters)}`,
      basis: "the base's shape",
      figures: { trainable, total: parameters },
    },
    precisionEstimate(device),
    {
      name: "peak memory",
      text: memoryText(costs, device),
      basis: memoryBasis(costs, spec.train.checkpointing),
      figures: {
        ...memory,
        ...layoutFigures(costs.layout),
        checkpointing: costs.checkpointing !== undefined,
      } satisfies JsonObject,
    },
    timeEstimate(costs, device),
    artifactEstimate(artifacts, spec),
  ];
}

/** The type that is computed in, and why. */
function precisionEstimate({ kind, dtype, why }: Device): Estimate {
  return { name: "precision", text: `${dtype} on ${kind}`, basis: why, figures: { device: kind, dtype } };
}

function memoryText({ memory, layout }: Costs, device: Device): string {
  const of = device.memory === undefined ? "" : ` of ${bytes(device.memory)}`;
  const spread = layoutText(layout);
  const many = spread === undefined ? "" : ` on each device, ${spread}`;
  return `about ${bytes(memory.total)}${of}${many}${layout.fits ? "" : ": does not fit"}`;
}

/** What takes the memory, and whether layers are computed again for its sake. */
function memoryBasis(
  { memory, checkpointing }: Costs,
  wanted: TrainingSpec["train"]["checkpointing"],
): string {
  const { runtime, weights, trainable, activations, logits } = memory;
  const again = checkpointing === undefined ? [] : [
    `with layers computed again on the way back (train.checkpointing: ${wanted}${
      wanted === "auto" ? `; it would be ${bytes(checkpointing.otherwise)} otherwise` : ""
    })`,
  ];
  return [
    `weights ${bytes(weights)}`,
    `trained ${bytes(trainable)}`,
    `activations ${bytes(activations)}`,
    `logits ${bytes(logits)}`,
    ...runtime === 0 ? [] : [`torch ${bytes(runtime)}`],
    ...again,
  ].join(", ");
}

function layoutFigures({ spread, fits, least }: Layout): JsonObject {
  return spread ? { ...spread, fits, least_devices: least ?? null } : {};
}

function timeEstimate({ time }: Costs, { speed, kind }: Device): Estimate {
  const name = "time";
  if (!time || !speed) {
    return { name, text: "unknown", basis: `the first run on ${kind} will measure it`, figures: {} };
  }
  return {
    name,
    text: `about ${duration(time.train * 1000)} training, ${duration(time.evaluate * 1000)} evaluation`,
    basis: speed.basis,
    figures: {
      train_seconds: time.train,
      evaluate_seconds: time.evaluate,
      flops_per_second: speed.flopsPerSecond,
    },
  };
}

function artifactEstimate(
  { weights, gguf, checkpoint }: ArtifactSizes,
  { provider }: TrainingSpec,
): Estimate {
  const file = provider.export.gguf ? `, GGUF file ${bytes(gguf)}` : "";
  return {
    name: "artifacts",
    text: `trained weights ${bytes(weights)}${file}`,
    basis: `${provider.export.quantization}; plus up to ${CHECKPOINTS} checkpoints of ${bytes(checkpoint)}`,
    figures: { weights, gguf: provider.export.gguf ? gguf : null, checkpoint },
  };
}

function tokensEstimate(tokens: TokenCounts, epochs: number): Estimate {
  const about = tokens.how === "counted" ? "" : "about ";
  const passes = epochs === 1 ? "" : `, ${count(tokens.train * epochs)} in ${figure(epochs)} epochs`;
  return {
    name: "tokens",
    text: `${about}${count(tokens.train)} train${passes}, ${count(tokens.eval)} eval`,
    basis: tokens.how,
    figures: {
      train: tokens.train,
      supervised: tokens.supervised,
      eval: tokens.eval,
      longest: tokens.longest,
      epochs,
    },
  };
}
