import { TemperError, UsageError } from "../../../lib/errors.ts";
import { OLLAMA } from "../../../spec/schema/base_name.ts";
import { OllamaClient } from "../../ollama/client.ts";
import type { Shown } from "../../ollama/wire.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import { authorized, serverFields, serverOf } from "../../ollama/server.ts";
import { detectTemplate } from "../serving/templates.ts";
import type { BaseEnv, BaseInfo } from "./base.ts";
import { ggufBase } from "./gguf.ts";

const PATIENCE_MS = 10_000;

/** A model that Ollama serves here already: the file its server keeps is the base. */
export async function ollamaBase(name: string, spec: Spec, env: BaseEnv): Promise<BaseInfo> {
  const model = name.slice(OLLAMA.length);
  const fields = serverFields(spec);
  const address = authorized(serverOf(fields, env.env), fields, env.env);
  const client = new OllamaClient(address, AbortSignal.timeout(PATIENCE_MS));
  const { server } = client;
  const shown = await client.show(model);
  if (!shown) {
    throw new UsageError("base-missing", `Cannot find base "${name}": ${server} has no such model`, {
      hint: `Get it with: ollama pull ${model}`,
    });
  }
  const path = fileOf(name, shown);
  const base = await ggufBase(name, path, await sizeOf(name, path, server, env), env);
  if (base.hasTemplate) return base;
  const template = detectTemplate(shown.template);
  return template === null ? base : { ...base, template, servedTemplate: template };
}

function fileOf(name: string, { modelfile, remote_host: remote }: Shown): string {
  const refuse = (found: string) =>
    new UsageError("base-unsupported", `Cannot train base "${name}": ${found}`, {
      hint: "Use the model it was made from, or a .gguf file",
    });
  if (remote !== undefined && remote !== "") throw refuse(`it runs at ${remote}, not here`);
  const lines = modelfile.split("\n");
  if (lines.some((line) => line.startsWith("ADAPTER "))) throw refuse("it has a separate adapter");
  const files = lines.filter((line) => line.startsWith("FROM ")).map((line) => line.slice(5).trim());
  if (files.length !== 1) throw refuse(`it is made of ${files.length} files`);
  return files[0]!;
}

async function sizeOf(name: string, path: string, server: string, { fs }: BaseEnv): Promise<number> {
  try {
    const stat = await fs.stat(path);
    if (stat?.isFile) return stat.size;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    throw new TemperError("base-unreadable", `Cannot read base "${name}": no permission to read "${path}"`, {
      cause,
      hint: "Give your user access to the server's files, or run the server as your user",
    });
  }
  throw new UsageError(
    "base-missing",
    `Cannot read base "${name}": ${server} keeps it in "${path}", which is not on this machine`,
    { hint: "Train on the server's machine, or use a .gguf file" },
  );
}
