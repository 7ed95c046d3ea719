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
  /** Training rows. */
  readonly rows: number;
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
  /** Whether each layer's activations are computed again on the way back. @default auto */
  readonly checkpointing?: Spec["train"]["checkpointing"];
  /** @default adamw */
  readonly optimizer?: Spec["train"]["optimizer"];
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
  /** `undefined`: every activation is kept. */
  readonly checkpointing: Checkpointing | undefined;
  readonly time: TimeEstimate | undefined;
  readonly artifacts: ArtifactSizes;
}

/** Layers are computed again on the way back. */
export interface Checkpointing {
  /** Bytes that each device would need otherwise. */
  readonly otherwise: number;
}

/** Estimates are not exact: where more than this share of the memory is needed, `auto` does not plan to keep all. */
export const MARGIN = 0.9;

/** The estimates behind `plan`, `check` and `advise`. */
export function costsOf(question: CostQuestion): Costs {
  const { shape, method, tokens, epochs, evalTokens, batchSize, flopsPerSecond } = question;
  const ahead = method.kind === "prefix" ? method.length : 0;
  const microTokens = ahead + Math.min(question.microTokens, batchSize * tokens.longest);
  const labelledTokens = Math.ceil(microTokens * tokens.supervised / Math.max(1, tokens.train));
  // Rows as long as their mean: longer ones among them have more pairs.
  const pairs = tokens.train * ((tokens.train / Math.max(1, question.rows) + 1) / 2 + ahead);
  const work = {
    tokens: tokens.train * epochs,
    labelled: tokens.supervised * epochs,
    pairs: pairs * epochs,
  };
  const { layout, checkpointing } = layoutFor(question, { microTokens, labelledTokens });
  return {
    trainable: trainableParameters(method, shape),
    memory: layout.memory,
    layout,
    checkpointing,
    time: flopsPerSecond === undefined
      ? undefined
      : estimateTime({ shape, method, work, evalTokens, flopsPerSecond }),
    artifacts: artifactSizes(question),
  };
}

/** How the training is laid out, with as many activations kept as the file asks for or memory allows. */
function layoutFor(
  question: CostQuestion,
  tokens: { readonly microTokens: number; readonly labelledTokens: number },
): Pick<Costs, "layout" | "checkpointing"> {
  const { checkpointing: wanted = "auto", deviceCount: count = 1, deviceMemory: each } = question;
  const laid = (checkpointing: boolean, share = 1) =>
    layoutOf(
      (spread) => estimateMemory({ ...question, ...tokens, checkpointing, spread }),
      { count, each: each === undefined ? undefined : each * share },
    );
  const whole = laid(false);
  if (wanted === false || wanted === "auto" && laid(false, MARGIN).fits) {
    return { layout: whole, checkpointing: undefined };
  }
  return { layout: laid(true), checkpointing: { otherwise: whole.memory.needed } };
}
