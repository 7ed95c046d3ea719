import { providerFor } from "../providers/registry.ts";
import type { Step } from "./step.ts";

/** Resolves everything into a job: what the provider needs to run it, and what it will take. */
export const configure: Step = {
  kind: "configure",
  version: 2,
  cached: true,
  async inputs(loaded, env) {
    const { kind } = loaded.spec.provider;
    return { provider: kind, ...await (await providerFor(kind, env)).inputs(loaded, env) };
  },
  async run(context) {
    const provider = await providerFor(context.loaded.spec.provider.kind, context);
    return { summary: await provider.configure({ ...context, examples: context.input("format") }) };
  },
};
