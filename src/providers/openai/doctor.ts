import { TemperError } from "../../lib/errors.ts";
import type { Finding } from "../finding.ts";
import type { Env } from "../provider.ts";
import { closingNotes } from "./dates.ts";
import { DIALECTS, type Endpoint } from "./dialect.ts";
import { CallError, Service } from "./service.ts";

/** One finding for each service whose key is set: whether it answers to the key, and what closes there. */
export async function* hostedFindings(env: Env, signal: AbortSignal): AsyncGenerator<Finding> {
  for (const dialect of Object.values(DIALECTS)) {
    const baseUrl = env.env[dialect.urlEnv] || dialect.baseUrl;
    if (!env.env[dialect.keyEnv]?.trim() || baseUrl === undefined) continue;
    yield await finding(
      { dialect, baseUrl: baseUrl.replace(/\/+$/, ""), keyEnv: dialect.keyEnv },
      env,
      signal,
    );
  }
}

async function finding(endpoint: Endpoint, env: Env, signal: AbortSignal): Promise<Finding> {
  const { dialect: { name, service }, baseUrl, keyEnv } = endpoint;
  try {
    const asked = await Service.open(endpoint, { env, signal, progress: () => {}, phase: "doctor" });
    await asked.once(
      "list the jobs",
      ({ signal }) => asked.client.fineTuning.jobs.list({ limit: 1 }, { signal, timeout: 5_000 }),
    );
    const closing = closingNotes("", endpoint, env.clock.now());
    const found = `${service} answers at ${baseUrl} to the key in ${keyEnv}`;
    const [first, ...rest] = closing;
    return first === undefined ? { name, state: "ok", found } : {
      name,
      state: "warn",
      found: `${found}; ${first}`,
      ...rest.length > 0 && { mend: rest.at(-1) as string },
    };
  } catch (thrown) {
    const error = thrown instanceof CallError ? thrown.error : thrown;
    if (!(error instanceof TemperError)) throw error;
    return { name, state: "warn", found: error.message, ...error.hint !== undefined && { mend: error.hint } };
  }
}
