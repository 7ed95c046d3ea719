import { join } from "../../../deps/path.ts";
import type { Env } from "../../provider.ts";

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * The folder of a model in the Hugging Face cache of this machine, as the trainer's huggingface_hub finds it;
 * undefined where that revision was not downloaded.
 */
export async function cachedHubFolder(
  id: string,
  revision: string,
  { fs, env }: Env,
): Promise<string | undefined> {
  const root = cacheRoot(env);
  if (root === undefined) return undefined;
  const repository = join(root, `models--${id.replace("/", "--")}`);
  const ref = join(repository, "refs", revision);
  const commit = COMMIT.test(revision)
    ? revision
    : (await fs.stat(ref))?.isFile
    ? (await fs.readText(ref)).trim()
    : undefined;
  if (commit === undefined) return undefined;
  const folder = join(repository, "snapshots", commit);
  return (await fs.stat(join(folder, "config.json")))?.isFile ? folder : undefined;
}

function cacheRoot(env: Env["env"]): string | undefined {
  if (env["HF_HUB_CACHE"]) return env["HF_HUB_CACHE"];
  if (env["HF_HOME"]) return join(env["HF_HOME"], "hub");
  if (env["XDG_CACHE_HOME"]) return join(env["XDG_CACHE_HOME"], "huggingface", "hub");
  return env["HOME"] ? join(env["HOME"], ".cache", "huggingface", "hub") : undefined;
}
