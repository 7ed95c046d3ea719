import { z } from "zod";
import { provider } from "../../spec/schema_provider.ts";
import type { Finding } from "../finding.ts";
import type { Env } from "../provider.ts";
import { findProgram } from "../training/python.ts";

const TIMEOUT_MS = 2000;
const answer = z.object({ version: z.string() });

/** Where Ollama is looked for when a pipeline does not say. */
export function defaultServer(): string {
  const parsed = provider.parse({ kind: "ollama", base: "any", model: "any" });
  if (parsed.kind !== "ollama") throw new TypeError("Cannot read the default server: not an Ollama provider");
  return parsed.server;
}

/** Whether an Ollama server answers. Never `missing`: a training ends with complete files without one. */
export async function ollamaFinding(env: Env, server: string, signal: AbortSignal): Promise<Finding> {
  const version = await versionOf(server, signal);
  if (version !== undefined) return { name: "ollama", state: "ok", found: `${version} at ${server}` };
  const program = await findProgram("ollama", env);
  return {
    name: "ollama",
    state: "warn",
    found: program ? `installed, but no server answers at ${server}` : `no server answers at ${server}`,
    mend: program ? "ollama serve" : "Only to serve models: https://ollama.com/download",
  };
}

async function versionOf(server: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(new URL("/api/version", server), { signal: limit });
    if (!response.ok) return void await response.body?.cancel();
    return answer.parse(await response.json()).version;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
