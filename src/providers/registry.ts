import { UsageError } from "../lib/errors.ts";
import type { OwnSections } from "../spec/schema/schema.ts";
import type { LengthsOf } from "./row_lengths.ts";
import type { Env, Inspect, Provider, Providers } from "./provider.ts";

interface Entry {
  readonly provider: () => Promise<Provider>;
  readonly inspect: () => Promise<Inspect>;
  readonly lengths: () => Promise<LengthsOf>;
}

const inspectTraining = async () => (await import("./trainer/inspect.ts")).inspectTraining;
const trainingLengths = async () => (await import("./trainer/row_lengths.ts")).trainingLengths;

/** Each kind of provider and where it lives. Imported only when a pipeline names it. */
const PROVIDERS: Readonly<Record<string, Entry>> = {
  local: {
    provider: async () => (await import("./local/provider.ts")).localProvider(),
    inspect: inspectTraining,
    lengths: trainingLengths,
  },
  ollama: {
    provider: async () => (await import("./ollama/provider.ts")).ollamaProvider(),
    inspect: async () => (await import("./ollama/inspect.ts")).inspectOllama,
    lengths: trainingLengths,
  },
  openai: {
    provider: async () => (await import("./openai/provider.ts")).openaiProvider(),
    inspect: async () => (await import("./openai/inspect.ts")).inspectHosted,
    lengths: async () => (await import("./openai/row_lengths.ts")).hostedLengths,
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

/** How the provider judges the length of rows; `undefined`: only its job counts them. */
export async function lengthsFor(
  kind: string,
  { providers }: Pick<Env, "providers">,
): Promise<LengthsOf | undefined> {
  return await entryFor(kind, providers).lengths?.();
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

function entryFor(kind: string, own: Providers = {}): Omit<Entry, "lengths"> & Partial<Entry> {
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
