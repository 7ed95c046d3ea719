import type { Spec } from "../spec/schema/schema.ts";
import { type ModelShape, trainableParameters } from "./memory.ts";

export interface TimeQuestion {
  readonly shape: ModelShape;
  readonly method: Spec["method"];
  /** Tokens the training processes, all epochs together. */
  readonly trainTokens: number;
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
 * Operations per token: 2 for each weight forward, 2 more for the gradient of the activations, and 2 more for each
 * trained weight (Kaplan et al. 2020, arXiv 2001.08361, appendix B). Attention scores are left out: they are small
 * until rows are thousands of tokens long.
 */
export function trainingFlopsPerToken(method: Spec["method"], shape: ModelShape): number {
  return 4 * shape.parameters + 2 * trainableParameters(method, shape);
}

export function estimateTime(question: TimeQuestion): TimeEstimate {
  const { shape, method, trainTokens, evalTokens, flopsPerSecond } = question;
  return {
    train: trainTokens * trainingFlopsPerToken(method, shape) / flopsPerSecond,
    evaluate: evalTokens * 2 * shape.parameters / flopsPerSecond,
  };
}
