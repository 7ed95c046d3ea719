// deno-lint-ignore-file no-console -- says which tests are skipped, and why
import assert from "../../deps/assert.ts";
import { dirname, join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { until } from "../../until.ts";

/** A real Ollama server; .ci/run builds one. */
const OLLAMA = Deno.env.get("TEMPER_TEST_OLLAMA");
export const WITHOUT_OLLAMA = OLLAMA === undefined;
if (WITHOUT_OLLAMA) console.warn("skipped: TEMPER_TEST_OLLAMA does not name an ollama program");

/** Whether it can compute: the engine lies beside the program. */
export const WITHOUT_ENGINE = OLLAMA === undefined ||
  !await denoFs.stat(join(dirname(OLLAMA), "llama-server"));
if (!WITHOUT_OLLAMA && WITHOUT_ENGINE) console.warn("skipped: no llama-server beside TEMPER_TEST_OLLAMA");

export interface OllamaServer {
  readonly address: string;
  /** Where it keeps its models. */
  readonly models: string;
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server on a free port with models of its own. `engine: false`: one that cannot compute. */
export async function startOllama(
  options: { readonly engine?: boolean; readonly models?: string } = {},
): Promise<OllamaServer> {
  const home = await Deno.makeTempDir({ prefix: "temper-ollama-" });
  const models = options.models ?? join(home, "models");
  let program = OLLAMA!;
  if (options.engine === false) {
    program = join(home, "ollama");
    // By another process: a program that this one has open for writing cannot be started, and a child that another
    // test starts meanwhile keeps it open.
    assert.ok((await new Deno.Command("cp", { args: [OLLAMA!, program] }).output()).success);
  }
  const port = freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = new Deno.Command(program, {
    args: ["serve"],
    env: {
      HOME: home,
      OLLAMA_HOST: `127.0.0.1:${port}`,
      OLLAMA_MODELS: models,
      OLLAMA_NOPRUNE: "1",
      OLLAMA_KEEP_ALIVE: "10m",
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const kill = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // it has gone already
    }
    await child.status;
  };
  await untilAnswers(address);
  return {
    address,
    models,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await denoFs.remove(home);
    },
  };
}

export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function untilAnswers(address: string): Promise<void> {
  await until(`the Ollama server that was started at ${address}`, async () => {
    try {
      const response = await fetch(`${address}/api/version`);
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }, 30_000);
}
