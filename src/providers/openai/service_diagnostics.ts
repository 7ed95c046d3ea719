import { TemperError } from "../../lib/errors.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Env } from "../provider.ts";
import type { Dialect } from "../../spec/dialects/dialect.ts";
import { DIALECTS } from "../../spec/dialects/registry.ts";
import { endpointIn } from "./endpoint.ts";
import { closingNotes } from "./estimate/closing.ts";
import { CallError, Service } from "./service.ts";

/** One finding for each service whose key is set: whether it accepts the key, and what closes there. */
export async function* hostedFindings(env: Env, signal: AbortSignal): AsyncGenerator<Diagnostic> {
  for (const dialect of Object.values(DIALECTS)) {
    const { address, keyEnv } = dialect;
    const isSet = (env.env[address.env] || address.standard) && env.env[keyEnv] !== undefined;
    if (isSet) yield await finding(dialect, env, signal);
  }
}

async function finding(dialect: Dialect, env: Env, signal: AbortSignal): Promise<Diagnostic> {
  const { name, service, keyEnv } = dialect;
  try {
    const endpoint = endpointIn(dialect, env.env);
    const { baseUrl } = endpoint;
    const asked = await Service.open(endpoint, { env, signal, progress: () => {}, phase: "doctor" });
    await asked.once(
      "list the jobs",
      ({ signal }) => asked.client.fineTuning.jobs.list({ limit: 1 }, { signal, timeout: 5_000 }),
    );
    const closing = closingNotes("", endpoint, env.clock.now());
    const found = `${service} accepts the key in ${keyEnv} at ${baseUrl}`;
    const [first, ...rest] = closing;
    return first === undefined ? { name, state: "ok", found } : {
      name,
      state: "warn",
      found: `${found}; ${first}`,
      ...rest.length > 0 && { fix: rest.at(-1) as string },
    };
  } catch (thrown) {
    const error = thrown instanceof CallError ? thrown.error : thrown;
    if (!(error instanceof TemperError)) throw error;
    return { name, state: "warn", found: error.message, ...error.hint !== undefined && { fix: error.hint } };
  }
}
