import { resolve } from "../../../deps/path.ts";
import { UsageError } from "../../../lib/errors.ts";
import { isHubId, OLLAMA } from "../../../spec/schema/base.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import type { Env } from "../../provider.ts";
import type { BaseEnv, BaseInfo } from "./base.ts";
import { BUILTIN, BUILTIN_BASES, builtinBase } from "./builtin.ts";
import { HUB_REVISION, hubBase } from "./hub.ts";

/**
 * Finds the base that a pipeline for training here names, and what its header says. Reads files, asks a
 * server that the base names, loads no weights, downloads nothing. Throws a UsageError when it cannot be used.
 */
export async function describeBase(loaded: LoadedSpec, env: BaseEnv): Promise<BaseInfo> {
  const { provider } = loaded.spec;
  if (provider.kind === "openai") throw new TypeError("Cannot describe a hosted base");
  const name = provider.base;
  if (name.startsWith(BUILTIN)) return builtinBase(name);
  if (name.startsWith(OLLAMA)) {
    return await (await import("./ollama.ts")).ollamaBase(name, loaded.spec, env);
  }
  const path = resolve(loaded.dir, name);
  const stat = await env.fs.stat(path);
  if (stat?.isFile) return await (await import("./gguf.ts")).ggufBase(name, path, stat.size, env);
  if (stat?.isDirectory) {
    return await (await import("./folder.ts")).folderBase(name, path, env, provider.export.gguf);
  }
  if (isHubId(name)) return hubBase(name, provider.revision);
  throw new UsageError("base-missing", `Cannot find base "${name}": there is no such file or folder`, {
    hint: `Name a .gguf file, a Hugging Face folder, a hub id (owner/name) or one of: ${
      BUILTIN_BASES.join(", ")
    }`,
  });
}

/**
 * The same from headers alone, and of a hub id what the cache of this machine has of it. Only for what is said before
 * a run: what a run does must not depend on what was downloaded before.
 */
export async function inspectBase(loaded: LoadedSpec, env: Env): Promise<BaseInfo> {
  const base = await describeBase(loaded, { ...env, headersOnly: true });
  const { provider } = loaded.spec;
  if (base.kind !== "hub" || provider.kind === "openai") return base;
  const { cachedHubFolder } = await import("./hub_cache.ts");
  const folder = await cachedHubFolder(base.name, provider.revision ?? HUB_REVISION, env);
  if (folder === undefined) return base;
  const { readHubFolder } = await import("./folder.ts");
  const facts = await readHubFolder(base.name, folder, env.fs, provider.export.gguf);
  return { ...base, ...facts, warnings: [...base.warnings, ...facts?.warnings ?? []] };
}
