import { resolve } from "../../../deps/path.ts";
import { UsageError } from "../../../lib/errors.ts";
import { isHubId, OLLAMA } from "../../../spec/schema/base_name.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import type { Env } from "../../provider.ts";
import type { BaseEnv, BaseInfo } from "./base.ts";
import { BUILTIN, BUILTIN_BASES, builtinBase } from "./builtin.ts";

/** What is taken where provider.revision names nothing. */
const HUB_REVISION = "main";

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
    return await (await import("./folder_base.ts")).folderBase(name, path, env, provider.export.gguf);
  }
  if (isHubId(name)) return hubBase(name, provider.revision);
  throw new UsageError("base-missing", `Cannot find base "${name}": there is no such file or folder`, {
    hint: `Give a .gguf file, a Hugging Face folder, a hub id (owner/name) or one of: ${
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
  const { readHubFolder } = await import("./folder_base.ts");
  const facts = await readHubFolder(base.name, folder, env.fs, provider.export.gguf);
  return { ...base, ...facts, warnings: [...base.warnings, ...facts?.warnings ?? []] };
}

/** A model on Hugging Face's hub. Nothing is asked there before the trainer downloads it. */
function hubBase(id: string, revision = HUB_REVISION): BaseInfo {
  const warnings = /^[0-9a-f]{40}$/.test(revision) ? [] : [
    `Revision "${revision}" of "${id}" can change: set provider.revision to a commit to make the run reproducible`,
  ];
  return {
    kind: "hub",
    name: id,
    identity: { kind: "hub", id, revision },
    job: { kind: "hub", id, revision },
    arch: null,
    shape: null,
    context: null,
    quantization: null,
    bytes: null,
    template: null,
    files: [],
    warnings,
  };
}
