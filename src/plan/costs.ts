import type { Spec } from "../spec/schema/schema.ts";
import { type ArtifactSizes, artifactSizes, type Quantization } from "./artifacts.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { estimateMemory, type MemoryEstimate, type ModelShape, trainableParameters } from "./memory.ts";
import { estimateTime, type TimeEstimate } from "./time.ts";

export interface CostQuestion {
  readonly shape: ModelShape;
  readonly method: Spec["method"];
  /** Tokens of all training rows, those with a label among them, and of the longest row. */
  readonly tokens: { readonly train: number; readonly supervised: number; readonly longest: number };
  /** Times the training rows are seen. */
  readonly epochs: number;
  /** Tokens read and written by all evaluations together. */
  readonly evalTokens: number;
  readonly batchSize: number;
  /** Tokens computed at once, at most. */
  readonly microTokens: number;
  readonly weightBytes: number;
  /** Of a weight in the prepared base's file. @default 4 */
  readonly storedBytes?: number;
  /** Whether the device's memory is its own. @default false */
  readonly gpu?: boolean;
  /** Whether each layer's activations are computed again on the way back. @default false */
  readonly checkpointing?: boolean;
  /** The memory of a device in bytes; undefined when unknown. */
  readonly deviceMemory: number | undefined;
  /** How many such devices there are. @default 1 */
  readonly deviceCount?: number;
  /** Floating point operations per second; undefined when unknown. */
  readonly flopsPerSecond: number | undefined;
  readonly quantization: Quantization;
  readonly baseBits: number | undefined;
}

/** What a training takes and leaves: bytes, seconds, counts. */
export interface Costs {
  readonly trainable: number;
  /** Of each device. */
  readonly memory: MemoryEstimate;
  readonly layout: Layout;
  readonly time: TimeEstimate | undefined;
  readonly artifacts: ArtifactSizes;
}

/** The estimates behind `plan`, `check` and `advise`. */
export function costsOf(question: CostQuestion): Costs {
  const { shape, method, tokens, epochs, evalTokens, batchSize, flopsPerSecond } = question;
  const ahead = method.kind === "prefix" ? method.length : 0;
  const microTokens = ahead + Math.min(question.microTokens, batchSize * tokens.longest);
  const labelledTokens = Math.ceil(microTokens * tokens.supervised / Math.max(1, tokens.train));
  const trainTokens = tokens.train * epochs;
  const devices = { count: question.deviceCount ?? 1, each: question.deviceMemory };
  const layout = layoutOf(
    (spread) => estimateMemory({ ...question, microTokens, labelledTokens, spread }),
    devices,
  );
  return {
    trainable: trainableParameters(method, shape),
    memory: layout.memory,
    layout,
    time: flopsPerSecond === undefined
      ? undefined
      : estimateTime({ shape, method, trainTokens, evalTokens, flopsPerSecond }),
    artifacts: artifactSizes(question),
  };
}
