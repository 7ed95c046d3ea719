import type { Work } from "../providers/provider.ts";
import type { StepContext } from "./step.ts";

/** What a provider may use of a step's context. */
export function workOf(context: StepContext): Work {
  const { fs, clock, cacheDir, env, loaded, key, runId, runDir, out, signal } = context;
  const progress: Work["progress"] = (value) => context.progress(value);
  return { fs, clock, cacheDir, env, loaded, key, runId, runDir, out, signal, progress };
}
