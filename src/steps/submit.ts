import { join } from "../deps/path.ts";
import { writeJson } from "../lib/json/json_file.ts";
import { providerFor } from "../providers/registry.ts";
import type { Step } from "./step.ts";

/** Starts the job once. Its key is the one of configure: the job adds nothing of its own. */
export const submit: Step = {
  kind: "submit",
  version: 1,
  cached: false,
  inputs: () => Promise.resolve({}),
  async run(context) {
    const provider = await providerFor(context.loaded.spec.provider.kind, context);
    const job = await provider.submit({
      ...context,
      configured: context.input("configure"),
    });
    await writeJson(join(context.out, "job.json"), job, context.fs);
    return { summary: { job } };
  },
};
