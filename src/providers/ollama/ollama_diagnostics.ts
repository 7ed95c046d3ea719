import { TemperError } from "../../lib/errors.ts";
import { findProgram } from "../../lib/find_program.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Env } from "../provider.ts";
import { OllamaClient } from "./client.ts";
import { authorized, serverOf } from "./server.ts";

/** Whether an Ollama server answers. Never `missing`: training needs none and writes complete files. */
export async function ollamaFinding(env: Env, signal: AbortSignal): Promise<Diagnostic> {
  const name = "ollama";
  try {
    const server = serverOf({}, env.env);
    const client = new OllamaClient(authorized(server, {}, env.env), signal);
    const where = `${client.server} (${server.from})`;
    try {
      return { name, state: "ok", found: `${await client.version()} at ${where}` };
    } catch (error) {
      if (!(error instanceof TemperError) || error.code !== "ollama-unreachable") throw error;
    }
    const program = await findProgram("ollama", env);
    return {
      name,
      state: "warn",
      found: program ? `installed, but no server answers at ${where}` : `no server answers at ${where}`,
      fix: program ? "ollama serve" : "Only to serve models: https://ollama.com/download",
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TemperError)) throw error;
    return { name, state: "warn", found: error.message, ...error.hint !== undefined && { fix: error.hint } };
  }
}
