import { TemperError } from "../lib/errors.ts";
import { expand, type Plan, type PlannedStep, type StepInputs } from "../plan/plan.ts";
import type { Env } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Step, StepKind } from "../steps/step.ts";

/** What a run that goes on has already. */
export interface Earlier {
  /** As they were planned. */
  readonly steps: readonly PlannedStep[];
  /** Steps whose output is there. */
  readonly finished: ReadonlySet<string>;
  /** Of those, the ones that are not asked: what they were made of may have changed since. */
  readonly kept: ReadonlySet<string>;
}

const NOTHING: Earlier = { steps: [], finished: new Set(), kept: new Set() };

/** Asks every step what its output depends on and chains the keys. Reads files, writes and starts nothing. */
export async function planSteps(
  loaded: LoadedSpec,
  steps: readonly Step[],
  env: Env,
  { steps: planned, finished, kept }: Earlier = NOTHING,
): Promise<Plan<StepKind>> {
  const chain: (StepInputs<StepKind> | PlannedStep<StepKind>)[] = [];
  for (const step of steps) {
    const { kind, version, cached } = step;
    const earlier = planned.find((step) => step.kind === kind && finished.has(kind));
    if (earlier && kept.has(kind)) chain.push({ ...earlier, kind });
    else {
      try {
        chain.push({ kind, version, cached, inputs: await step.inputs(loaded, env) });
      } catch (error) {
        // A file that it was made of is gone; its output is not.
        const isGone = error instanceof TemperError || error instanceof Deno.errors.NotFound;
        if (!earlier || !isGone) throw error;
        chain.push({ ...earlier, kind });
      }
    }
  }
  return expand(chain);
}
