import { UsageError } from "../lib/errors.ts";
import type { OwnSections } from "../spec/schema/schema.ts";
import type { LengthsOf } from "./row_lengths.ts";
import type { Env, Inspect, Provider, Providers } from "./provider.ts";

interface Entry {
  readonly provider: () => Promise<Provider>;
  readonly inspect: () => Promise<Inspect>;
  readonly lengths: () => Promise<LengthsOf>;
}

/** A path that is known only now: Deno reads ahead what a literal path leads to, here every provider. */
const at = (path: string) => new URL(path, import.meta.url).href;

const inspectTraining = async () => {
  const module: typeof import("./trainer/inspect.ts") = await import(at("./trainer/inspect.ts"));
  return module.inspectTraining;
};
const trainingLengths = async () => {
  const module: typeof import("./trainer/row_lengths.ts") = await import(at("./trainer/row_lengths.ts"));
  return module.trainingLengths;
};

/** Each kind of provider and where it lives. Imported only when a pipeline names it. */
const PROVIDERS: Readonly<Record<string, Entry>> = {
  local: {
    async provider() {
      const module: typeof import("./local/provider.ts") = await import(at("./local/provider.ts"));
      return module.localProvider();
    },
    inspect: inspectTraining,
    lengths: trainingLengths,
  },
  ollama: {
    async provider() {
      const module: typeof import("./ollama/provider.ts") = await import(at("./ollama/provider.ts"));
      return module.ollamaProvider();
    },
    async inspect() {
      const module: typeof import("./ollama/inspect.ts") = await import(at("./ollama/inspect.ts"));
      return module.inspectOllama;
    },
    lengths: trainingLengths,
  },
  openai: {
    async provider() {
      const module: typeof import("./openai/provider.ts") = await import(at("./openai/provider.ts"));
      return module.openaiProvider();
    },
    async inspect() {
      const module: typeof import("./openai/inspect.ts") = await import(at("./openai/inspect.ts"));
      return module.inspectHosted;
    },
    async lengths() {
      const module: typeof import("./openai/row_lengths.ts") = await import(at("./openai/row_lengths.ts"));
      return module.hostedLengths;
    },
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
