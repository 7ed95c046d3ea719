import { dirname, join } from "../../../src/deps/path.ts";
import { until } from "../../until.ts";
import { freePort } from "./server.ts";

export interface LlamaServer {
  /** Ids of a prompt as completions read it: BOS is added where the file says so, control tokens are tokens. */
  tokens(prompt: string): Promise<number[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The engine that Ollama starts, by itself, on a file. */
export async function startLlamaServer(gguf: string): Promise<LlamaServer> {
  const port = freePort();
  const child = new Deno.Command(join(dirname(Deno.env.get("TEMPER_TEST_OLLAMA")!), "llama-server"), {
    args: [
      "--model",
      gguf,
      "--port",
      `${port}`,
      "--host",
      "127.0.0.1",
      "--no-webui",
      "-c",
      "512",
      "-np",
      "1",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const address = `http://127.0.0.1:${port}`;
  await until(`llama-server at ${address}`, async () => {
    const response = await fetch(`${address}/health`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok === true;
  }, 60_000);
  return {
    async tokens(content) {
      const body = JSON.stringify({ content, add_special: true, parse_special: true });
      const response = await fetch(`${address}/tokenize`, { method: "POST", body });
      return (await response.json()).tokens;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}
