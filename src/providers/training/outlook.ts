import { join } from "node:path";
import { bytes, count, duration, figure } from "../../lib/format.ts";
import type { JsonObject } from "../../lib/json.ts";
import { resolveTraining } from "../../plan/defaults.ts";
import { estimateMemory, type ModelShape, trainableParameters } from "../../plan/memory.ts";
import { estimateTime } from "../../plan/time.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Spec } from "../../spec/schema.ts";
import type { DataSize, Env, Estimate, Outlook } from "../provider.ts";
import type { BaseInfo } from "./base/base.ts";
import { describeBase } from "./base/describe.ts";
import { methodNotes } from "./method_notes.ts";
import { trainingSettings } from "./settings.ts";
import { trainingSpeed } from "./machine.ts";

/** Tokens, counted by configure or estimated from characters. */
interface TokenCounts {
  readonly train: number;
  readonly supervised: number;
  readonly eval: number;
  readonly longest: number;
  readonly how: string;
}

const CHARS_PER_TOKEN = 4;
/** Role marks and end token around each of the two or three turns of a row. */
const TEMPLATE_TOKENS_PER_ROW = 20;

/** What training here would take. */
export async function trainingOutlook(
  loaded: LoadedSpec,
  env: Env,
  data: DataSize,
  configured: string | undefined,
): Promise<Outlook> {
  const base = await describeBase(loaded, env);
  const { spec } = loaded;
  const tokens = await countedTokens(env, configured) ?? estimatedTokens(spec, data);
  const estimates = base.shape === null
    ? [tokensEstimate(tokens, 1)]
    : await shapedEstimates(spec, env, base.shape, tokens, data);
  const notes = [...base.warnings, ...base.shape === null ? [] : methodNotes(spec, base.shape)];
  return { base: baseText(base), settings: trainingSettings(loaded, base), estimates, notes };
}

function baseText(base: BaseInfo): string {
  const facts = [
    base.arch,
    base.shape && `${figure(base.shape.parameters / 1e6)} M parameters`,
    base.quantization,
  ].filter((fact) => fact);
  return facts.length === 0 ? base.name : `${base.name} (${facts.join(", ")})`;
}

async function countedTokens(env: Env, configured: string | undefined): Promise<TokenCounts | undefined> {
  if (configured === undefined) return undefined;
  const { train, eval: held } = JSON.parse(await env.fs.readText(join(configured, "tokens.json")));
  return {
    train: train.tokens,
    supervised: train.supervised,
    eval: held?.tokens ?? 0,
    longest: train.longest,
    how: "counted",
  };
}

function estimatedTokens(spec: Spec, data: DataSize): TokenCounts {
  const { trainRows, evalRows, trainChars, evalChars } = data;
  const tokens = (chars: number, rows: number) =>
    Math.min(chars / CHARS_PER_TOKEN + rows * TEMPLATE_TOKENS_PER_ROW, rows * spec.train.max_length);
  const train = Math.round(tokens(trainChars, trainRows));
  return {
    train,
    supervised: Math.round(train / 2),
    eval: Math.round(tokens(evalChars, evalRows)),
    longest: Math.min(spec.train.max_length, Math.ceil(2 * train / Math.max(1, trainRows))),
    how: `about ${CHARS_PER_TOKEN} characters a token; counted once configure has run`,
  };
}

/** Tokens all epochs process; `max_steps` may end them early. */
function processed(spec: Spec, tokens: TokenCounts, rows: number): number {
  const epochs = resolveTraining(spec, undefined).epochs.value;
  const steps = Math.ceil(epochs * rows / spec.train.batch_size);
  const share = Math.min(1, (spec.train.max_steps ?? Infinity) / Math.max(1, steps));
  return tokens.train * epochs * share;
}

async function shapedEstimates(
  spec: Spec,
  env: Env,
  shape: ModelShape,
  tokens: TokenCounts,
  data: DataSize,
): Promise<Estimate[]> {
  const device = spec.train.device === "auto" ? "cpu" : spec.train.device;
  const weightBytes = spec.train.dtype === "bf16" ? 2 : 4;
  const microTokens = Math.min(spec.train.micro_tokens, spec.train.batch_size * tokens.longest);
  const labelledTokens = Math.ceil(microTokens * tokens.supervised / Math.max(1, tokens.train));
  const { method } = spec;
  const memory = estimateMemory({ shape, method, weightBytes, microTokens, labelledTokens });
  const { runtime, weights, trainable, activations, logits } = memory;
  const speed = await trainingSpeed(env, device, navigator.hardwareConcurrency);
  const trainTokens = processed(spec, tokens, data.trainRows);
  const passes = (spec.evaluate.before ? 2 : 1) + (spec.evaluate.few_shot ? 1 : 0);
  const evalTokens = data.evalRows === 0 ? 0 : tokens.eval * passes;
  const time = estimateTime({ shape, method, trainTokens, evalTokens, flopsPerSecond: speed.flopsPerSecond });
  return [
    tokensEstimate(tokens, trainTokens / Math.max(1, tokens.train)),
    {
      name: "trained parameters",
      text: `${count(trainableParameters(method, shape))} of ${count(shape.parameters)}`,
      basis: "shape of the base",
      figures: { trainable: trainableParameters(method, shape), total: shape.parameters },
    },
    {
      name: "peak memory",
      text: `about ${bytes(memory.total)}`,
      basis: `weights ${bytes(weights)}, trained ${bytes(trainable)}, activations ${
        bytes(activations)
      }, logits ${bytes(logits)}, torch ${bytes(runtime)}`,
      figures: { ...memory } satisfies JsonObject,
    },
    {
      name: "time",
      text: `about ${duration(time.train * 1000)} training, ${duration(time.evaluate * 1000)} evaluation`,
      basis: speed.basis,
      figures: {
        train_seconds: time.train,
        evaluate_seconds: time.evaluate,
        flops_per_second: speed.flopsPerSecond,
      },
    },
  ];
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
