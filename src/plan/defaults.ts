import type { Spec } from "../spec/schema/schema.ts";

/** A value and why it is this one. */
export interface Reasoned<T> {
  readonly value: T;
  readonly reason: string;
  /** Present where the base decides. */
  readonly from?: "base";
}

/** `train` with every default that depends on method and base filled in. */
export interface ResolvedTraining {
  readonly epochs: Reasoned<number>;
  readonly learningRate: Reasoned<number>;
}

const MILLION = 1e6;

/**
 * Peak learning rates by method and by the most parameters of the base they are for. Larger models need
 * smaller steps; methods that change little per weight need larger ones.
 */
const LEARNING_RATES: Record<string, readonly (readonly [number, number])[]> = {
  full: [[300 * MILLION, 1e-4], [1000 * MILLION, 5e-5], [Infinity, 1e-5]],
  lora: [[300 * MILLION, 2e-3], [1000 * MILLION, 1e-3], [Infinity, 2e-4]],
  qlora: [[300 * MILLION, 2e-3], [1000 * MILLION, 1e-3], [Infinity, 2e-4]],
  "prefix input": [[1000 * MILLION, 3e-2], [Infinity, 1e-2]],
  "prefix layers": [[Infinity, 5e-3]],
  adapter: [[300 * MILLION, 4e-3], [1000 * MILLION, 2e-3], [Infinity, 1e-3]],
};

/**
 * Fills in what the file leaves open. `parameters` is the base's number of weights, `undefined` when it is not
 * known before a download; then the value for large models is taken, which learns slowly rather than not at all.
 */
export function resolveTraining(spec: Spec, parameters: number | undefined): ResolvedTraining {
  const { method, train } = spec;
  return {
    epochs: train.epochs !== undefined
      ? { value: train.epochs, reason: "train.epochs" }
      : method.kind === "prefix"
      ? { value: 2, reason: "default for prefix: its few parameters learn slowly" }
      : { value: 1, reason: `default for ${method.kind}` },
    learningRate: train.learning_rate !== undefined
      ? { value: train.learning_rate, reason: "train.learning_rate" }
      : defaultLearningRate(method, parameters),
  };
}

function defaultLearningRate(method: Spec["method"], parameters: number | undefined): Reasoned<number> {
  const name = method.kind === "prefix" ? `prefix ${method.placement}` : method.kind;
  const table = LEARNING_RATES[name];
  if (!table) throw new RangeError(`Cannot choose a learning rate: method "${name}" has no table`);
  const [most, value] = table.find(([limit]) => (parameters ?? Infinity) <= limit)!;
  if (parameters === undefined) {
    return { value, reason: `default for ${name}; the base's size is unknown` };
  }
  const size = most === Infinity ? "large bases" : `bases of up to ${most / MILLION} M parameters`;
  return { value, reason: `default for ${name} on ${size}`, from: "base" };
}
