import { TemperError } from "../lib/errors.ts";
import { providerFor } from "../providers/registry.ts";
import type { Step } from "./step.ts";

/** Follows the job to its end and returns its result. */
export const monitor: Step = {
  kind: "monitor",
  version: 1,
  cached: false,
  async inputs(loaded, env) {
    return (await providerFor(loaded.spec.provider.kind, env)).delivery(loaded, env);
  },
  async run(context) {
    if (!context.job) {
      throw new TemperError("no-job", "Cannot follow the job: this run has not submitted one");
    }
    const provider = await providerFor(context.loaded.spec.provider.kind, context);
    const configured = context.input("configure");
    const result = await provider.monitor({ ...context, configured, job: context.job });
    const { metric, before, after, served, registration } = result.metrics;
    const summary = {
      metric: metric ?? null,
      before: before ?? null,
      after: after ?? null,
      ...registration !== undefined && { served: served ?? null, registration },
    };
    return { summary, result };
  },
};
