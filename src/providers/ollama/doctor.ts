import { TemperError } from "../../lib/errors.ts";
import type { Finding } from "../finding.ts";
import type { Env } from "../provider.ts";
import { findProgram } from "../../lib/find_program.ts";
import { OllamaClient } from "./client.ts";

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
    return await new OllamaClient(server, signal).version();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TemperError) return undefined;
    throw error;
  }
}
