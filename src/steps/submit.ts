import { join } from "../deps/path.ts";
import { providerFor } from "../providers/registry.ts";
import type { Step } from "./step.ts";
import { workOf } from "./work.ts";

/** Starts the job once. Its key is the one of configure: the job adds nothing of its own. */
export const submit: Step = {
  kind: "submit",
  version: 1,
  cached: false,
  inputs: () => Promise.resolve({}),
  async run(context) {
    const provider = await providerFor(context.loaded.spec.provider.kind);
    const job = await provider.submit({
      ...workOf(context),
      configured: context.input("configure"),
      job: context.job,
      submitted: (started) => context.submitted(started),
    });
    await context.fs.writeAtomic(join(context.out, "job.json"), JSON.stringify(job, null, 2) + "\n");
    return { summary: { job } };
  },
};
