import { join } from "../../../src/deps/path.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { OllamaClient } from "../../../src/providers/ollama/client.ts";
import { MARK, type RegisterRequest } from "../../../src/providers/ollama/register.ts";
import type { Progress } from "../../../src/providers/provider.ts";
import { type GgufOptions, writeGguf } from "../trainer/gguf_file.ts";

/** Time that does not have to be waited for. */
const clock: Clock = { ...systemClock, sleep: () => Promise.resolve() };

export function clientOf(address: string): OllamaClient {
  return new OllamaClient(address, new AbortController().signal);
}

/** What registering is handed of the world; `said` fills with its progress. */
export function registerWork() {
  const said: Progress[] = [];
  const work = {
    fs: denoFs,
    clock,
    signal: new AbortController().signal,
    progress: (progress: Progress) => void said.push(progress),
  };
  return { work, said };
}

/** A request to serve a file. Without metadata of its own it is one that temper made. */
export async function requestOf(
  dir: string,
  changes: Partial<RegisterRequest> = {},
  gguf: GgufOptions = {},
): Promise<RegisterRequest> {
  const texts = gguf.texts ?? { [MARK]: "lora" };
  const path = join(dir, `${crypto.randomUUID()}.gguf`);
  await Deno.writeFile(path, writeGguf({ ...gguf, texts }));
  const { size: bytes } = await Deno.stat(path);
  return {
    model: "home",
    serving: {
      version: 1,
      model: "home",
      template: "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}",
      system: "Home:",
      parameters: { stop: ["<|im_end|>"], temperature: 0, repeat_penalty: 1, num_ctx: 2048 },
    },
    gguf: { path, bytes, sha256: await denoFs.sha256(path) },
    overwrite: false,
    keepPrevious: false,
    ...changes,
  };
}
