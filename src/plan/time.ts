import type { Spec } from "../spec/schema/schema.ts";
import { linearParameters, type ModelShape, trainableParameters } from "./memory.ts";

/** What a training reads, all epochs together. */
export interface TrainingWork {
  readonly tokens: number;
  /** Tokens that a loss is taken on: only they meet the head. */
  readonly labelled: number;
  /** Of tokens and what each attends to: n (n + 1) / 2 for a row of n tokens, and a prefix for every token. */
  readonly pairs: number;
}

export interface TimeQuestion {
  readonly shape: ModelShape;
  readonly method: Spec["method"];
  readonly work: TrainingWork;
  /** Tokens read and written by all evaluations together. */
  readonly evalTokens: number;
  /** Floating point operations a second that training reaches on this machine. */
  readonly flopsPerSecond: number;
}

/** Seconds. */
export interface TimeEstimate {
  readonly train: number;
  readonly evaluate: number;
}

/**
 * Operations that a training needs, as in PaLM (arXiv 2204.02311, appendix B): 2 for each weight and token forward, 2
 * for the gradient of the inputs, and 2 for the gradient of the weight where it is trained. A frozen base thus takes
 * 2/3 of what `full` takes. Attention takes 4 for each pair, layer and value of a query forward, and twice that on the
 * way back. What is computed again (checkpointing, the logits of a trained head) does not count. The trainer has the
 * same formula (training/costs.py); tests/fixtures/training_costs.json belongs to both.
 */
export function trainingFlops(method: Spec["method"], shape: ModelShape, work: TrainingWork): number {
  const { tokens, labelled, pairs } = work;
  const weights = linearParameters(shape) * tokens + shape.vocab * shape.hidden * labelled;
  const attention = 12 * shape.layers * shape.heads * shape.headDim * pairs;
  const added = method.kind === "full" || method.kind === "prefix" ? 0 : trainableParameters(method, shape);
  return (method.kind === "full" ? 6 : 4) * weights + 6 * added * tokens + attention;
}

export function estimateTime(question: TimeQuestion): TimeEstimate {
  const { shape, method, work, evalTokens, flopsPerSecond } = question;
  return {
    train: trainingFlops(method, shape, work) / flopsPerSecond,
    evaluate: evalTokens * 2 * shape.parameters / flopsPerSecond,
  };
}
