import type { JsonObject } from "../lib/json/json.ts";
import { CACHE_VERSION, keyOf } from "./key.ts";

/** A step before it is expanded: what a step's definition says about itself. */
export interface StepInputs<Kind extends string = string> {
  readonly kind: Kind;
  readonly version: number;
  readonly cached: boolean;
  /** Resolved parameters and input digests (see Step.inputs). */
  readonly inputs: JsonObject;
}

export interface PlannedStep<Kind extends string = string> {
  readonly kind: Kind;
  readonly cached: boolean;
  /** Lower-case hex sha256 of `parts`. */
  readonly key: string;
  /** What the key is made of; `after` is the key of the step before. Kept so that a change can be explained. */
  readonly parts: JsonObject;
}

export interface Plan<Kind extends string = string> {
  readonly steps: readonly PlannedStep<Kind>[];
  /** Key of the last step: two plans with the same hash give the same outputs. */
  readonly hash: string;
}

/**
 * Chains the steps: each one's key covers its own inputs and, through `after`, everything before it. Those that were
 * planned before stay as they are. Pure.
 */
export function expand<Kind extends string>(
  steps: readonly (StepInputs<Kind> | PlannedStep<Kind>)[],
): Plan<Kind> {
  const planned: PlannedStep<Kind>[] = [];
  for (const step of steps) {
    if ("key" in step) {
      planned.push(step);
      continue;
    }
    const { kind, version, cached, inputs } = step;
    const before = planned.at(-1);
    const parts = { cache: CACHE_VERSION, step: kind, version, inputs, ...before && { after: before.key } };
    planned.push({ kind, cached, key: keyOf(parts), parts });
  }
  const last = planned.at(-1);
  if (!last) throw new RangeError("Cannot expand a plan: it has no steps");
  return { steps: planned, hash: last.key };
}
