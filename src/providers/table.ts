import { UsageError } from "../lib/errors.ts";
import type { Provider } from "./provider.ts";

/** Each kind of provider and where it lives. Imported only when a pipeline names it. */
const PROVIDERS: Readonly<Record<string, () => Promise<Provider>>> = {
  local: async () => (await import("./local/provider.ts")).localProvider(),
  openai: async () => (await import("./openai/provider.ts")).openaiProvider(),
  ollama: async () => (await import("./ollama/provider.ts")).ollamaProvider(),
};

export async function providerFor(kind: string): Promise<Provider> {
  const load = Object.hasOwn(PROVIDERS, kind) ? PROVIDERS[kind] : undefined;
  if (load) return await load();
  throw new UsageError(
    "provider-unsupported",
    `Cannot use provider.kind "${kind}": a later version brings it`,
    {
      hint: `Take one of: ${Object.keys(PROVIDERS).join(", ")}`,
    },
  );
}
