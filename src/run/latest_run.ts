import { TemperError } from "../lib/errors.ts";
import { readRun } from "../log/read_run.ts";
import type { RunState } from "../log/run_state.ts";
import type { Env } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { Step } from "../steps/step.ts";
import { earlierRuns } from "./run_folder.ts";
import { planSteps } from "./plan_steps.ts";

/** The latest run of exactly this pipeline and data; undefined when there is none, or none that can be told. */
export async function latestRun(
  loaded: LoadedSpec,
  steps: readonly Step[],
  env: Env,
  runsDir: string,
): Promise<RunState | undefined> {
  try {
    const { hash } = await planSteps(loaded, steps, env);
    const runs = await earlierRuns(env.fs, runsDir, loaded.spec.name);
    const same = runs.find(({ plan }) => plan.hash === hash);
    return same && await readRun(env.fs, same.dir);
  } catch (error) {
    // `run` reports it.
    if (error instanceof TemperError) return undefined;
    throw error;
  }
}
