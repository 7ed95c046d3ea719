import type { Work } from "../providers/provider.ts";
import type { StepContext } from "./step.ts";

/** What a provider may use of a step's context. */
export function workOf(context: StepContext): Work {
  const {
    fs,
    clock,
    cacheDir,
    sharedDir,
    env,
    asked,
    providers,
    loaded,
    key,
    runId,
    runDir,
    out,
    signal,
    records,
  } = context;
  const progress: Work["progress"] = (value) => context.progress(value);
  const record: Work["record"] = (fact, progress) => context.record(fact, progress);
  const given = {
    fs,
    clock,
    cacheDir,
    env,
    loaded,
    key,
    runId,
    runDir,
    out,
    signal,
    progress,
    records,
    record,
  };
  return {
    ...given,
    ...sharedDir !== undefined && { sharedDir },
    ...asked && { asked },
    ...providers && { providers },
  };
}
