/** Models that `provider.base: builtin:NAME` can name. */
export const BUILTIN_NAMES = ["smollm2-135m-instruct"] as const;

/** What a base begins with that an Ollama server has. */
export const OLLAMA = "ollama:";

/** Ollama's default address. */
export const OLLAMA_SERVER = "http://127.0.0.1:11434";

/** Whether a base that is neither a file nor a folder is the name of a model on the hub: owner/name. */
export function isHubId(base: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(base) && !base.endsWith(".gguf");
}
