import { resolveTraining } from "../../../plan/defaults.ts";
import { type Costs, costsOf } from "../../../plan/costs.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import type { DataSize, Env } from "../../provider.ts";
import type { BaseInfo } from "../base/base.ts";
import type { TrainingSpec } from "../job/job.ts";
import { type Device, deviceFor, thisHost } from "../environment/machine.ts";

/** Tokens, counted by configure or estimated from characters. */
export interface TokenCounts {
  readonly train: number;
  readonly supervised: number;
  readonly eval: number;
  readonly longest: number;
  readonly how: string;
}

/** A base whose header was read. */
export type ShapedBase = Pick<BaseInfo, "quantization" | "bytes"> & { readonly shape: ModelShape };

export const CHARS_PER_TOKEN = 4;
/** Role marks and end token around each of the two or three turns of a row. */
const TEMPLATE_TOKENS_PER_ROW = 20;

/** What `spec` costs on a base of this shape, here. */
export async function trainingCosts(
  spec: TrainingSpec,
  env: Env,
  base: ShapedBase,
  tokens: TokenCounts,
  rows: number,
): Promise<{ readonly costs: Costs; readonly device: Device }> {
  const { method, train, evaluate, provider } = spec;
  const device = await deviceFor(train, env, thisHost());
  const passes = (evaluate.before ? 2 : 1) + (evaluate.few_shot ? 1 : 0);
  const costs = costsOf({
    shape: base.shape,
    method,
    tokens,
    rows,
    epochs: processedEpochs(spec, rows),
    evalTokens: tokens.eval * passes,
    batchSize: train.batch_size,
    microTokens: train.micro_tokens,
    checkpointing: train.checkpointing,
    optimizer: train.optimizer,
    ...deviceQuestion(device),
    storedBytes: storedBytes(base),
    flopsPerSecond: device.speed?.flopsPerSecond,
    quantization: provider.export.quantization,
    baseBits: bitsOf(base),
  });
  return { costs, device };
}

/** What a device is to an estimate. */
export function deviceQuestion({ kind, weightBytes, memory, count }: Device) {
  return { weightBytes, gpu: kind !== "cpu", deviceMemory: memory, deviceCount: count };
}

/** Bytes of a weight in the prepared base: blocks become fp32 there, halves stay what they are. */
export function storedBytes({ quantization }: Pick<ShapedBase, "quantization">): number {
  return quantization === "F16" || quantization === "BF16" ? 2 : 4;
}

/** Bits of a weight in the base's file; undefined where it holds whole numbers. */
export function bitsOf({ quantization, bytes, shape }: ShapedBase): number | undefined {
  const whole = quantization === null || ["F32", "F16", "BF16", "F64"].includes(quantization);
  return whole || bytes === null ? undefined : 8 * bytes / shape.parameters;
}

/** Tokens as characters suggest them. */
export function estimatedTokens(spec: Spec, data: DataSize): TokenCounts {
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

/** Times the rows are seen; `max_steps` may end it early. */
export function processedEpochs(spec: Spec, rows: number): number {
  const epochs = resolveTraining(spec, undefined).epochs.value;
  const steps = Math.ceil(epochs * rows / spec.train.batch_size);
  return epochs * Math.min(1, (spec.train.max_steps ?? Infinity) / Math.max(1, steps));
}
