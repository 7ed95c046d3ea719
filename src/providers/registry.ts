import { UsageError } from "../lib/errors.ts";
import type { OwnSections } from "../spec/schema/schema.ts";
import type { Env, Inspect, Provider, Providers } from "./provider.ts";

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

/** The provider of that kind: one of temper's, or one that was passed in. */
export async function providerFor(kind: string, { providers }: Pick<Env, "providers">): Promise<Provider> {
  return await entryFor(kind, providers).provider();
}

/** How the provider looks at a pipeline, without the provider. */
export async function inspectFor(kind: string, { providers }: Pick<Env, "providers">): Promise<Inspect> {
  return await entryFor(kind, providers).inspect();
}

/** What schemas of pipelines need of providers that were passed in. */
export function sectionsOf(own: Providers = {}): OwnSections {
  const taken = Object.keys(own).find((kind) => Object.hasOwn(PROVIDERS, kind));
  if (taken === undefined) {
    return Object.fromEntries(Object.entries(own).map(([kind, { schema }]) => [kind, schema]));
  }
  throw new UsageError(
    "provider-taken",
    `Cannot add provider "${taken}": temper already has one of that name`,
  );
}

function entryFor(kind: string, own: Providers = {}): Entry {
  const entry = Object.hasOwn(PROVIDERS, kind) ? PROVIDERS[kind] : undefined;
  if (entry) return entry;
  const added = Object.hasOwn(own, kind) ? own[kind] : undefined;
  if (added) {
    const { inspect = () => Promise.resolve([]) } = added;
    return { provider: async () => await added.provider(), inspect: () => Promise.resolve(inspect) };
  }
  throw new UsageError(
    "provider-unsupported",
    `Cannot use provider.kind "${kind}": no provider has this name`,
    {
      hint: `Use one of: ${[...Object.keys(PROVIDERS), ...Object.keys(own)].join(", ")}; ` +
        "in code, pass your own providers as providers: {…}",
    },
  );
}
