import { UsageError } from "../lib/errors.ts";
import type { Inspect, Provider } from "./provider.ts";

interface Entry {
  readonly provider: () => Promise<Provider>;
  readonly inspect: () => Promise<Inspect>;
}

const inspectTraining = async () => (await import("./trainer/inspect.ts")).inspectTraining;

/** Each kind of provider and where it lives. Imported only when a pipeline names it. */
const PROVIDERS: Readonly<Record<string, Entry>> = {
  local: {
    provider: async () => (await import("./local/provider.ts")).localProvider(),
    inspect: inspectTraining,
  },
  ollama: {
    provider: async () => (await import("./ollama/provider.ts")).ollamaProvider(),
    inspect: async () => (await import("./ollama/inspect.ts")).inspectOllama,
  },
  openai: {
    provider: async () => (await import("./openai/provider.ts")).openaiProvider(),
    inspect: async () => (await import("./openai/inspect.ts")).inspectHosted,
  },
};

export async function providerFor(kind: string): Promise<Provider> {
  return await entryFor(kind).provider();
}

/** How the provider looks at a pipeline, without the provider. */
export async function inspectFor(kind: string): Promise<Inspect> {
  return await entryFor(kind).inspect();
}

function entryFor(kind: string): Entry {
  const entry = Object.hasOwn(PROVIDERS, kind) ? PROVIDERS[kind] : undefined;
  if (entry) return entry;
  throw new UsageError(
    "provider-unsupported",
    `Cannot use provider.kind "${kind}": a later version brings it`,
    { hint: `Take one of: ${Object.keys(PROVIDERS).join(", ")}` },
  );
}
