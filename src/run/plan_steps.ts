import { expand, type Plan, type StepInputs } from "../plan/plan.ts";
import type { Env } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Step, StepKind } from "../steps/step.ts";

/** Asks every step what its output depends on and chains the keys. Reads files, writes and starts nothing. */
export async function planSteps(
  loaded: LoadedSpec,
  steps: readonly Step[],
  env: Env,
): Promise<Plan<StepKind>> {
  const inputs: StepInputs<StepKind>[] = [];
  for (const step of steps) {
    const { kind, version, cached } = step;
    inputs.push({ kind, version, cached, inputs: await step.inputs(loaded, env) });
  }
  return expand(inputs);
}
