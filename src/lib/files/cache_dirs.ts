import { isAbsolute, join, resolve } from "../../deps/path.ts";

/** Where temper keeps what can be deleted. Both are absolute. */
export interface CacheDirs {
  /** The project's own: step outputs, digests, locks. */
  readonly cacheDir: string;
  /** What is large and the same for all projects: Python environments, converted bases, a remote trainer's files. */
  readonly sharedDir: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Name of the project's cache, where no other is given. */
export const LOCAL_CACHE = ".temper";

/** The caches of a project in `cwd`. `given`: the folder that was asked for, which then holds everything. */
export function cacheDirs(
  cwd: string,
  given: string | undefined,
  env: Variables,
  os: string = Deno.build.os,
): CacheDirs {
  const cacheDir = resolve(cwd, given ?? LOCAL_CACHE);
  if (given !== undefined) return { cacheDir, sharedDir: cacheDir };
  const named = env["TEMPER_CACHE"];
  return { cacheDir, sharedDir: named ? resolve(cwd, named) : userCache(env, os) ?? cacheDir };
}

/** The folder that the platform has for caches of the user; undefined where the user has no home. */
function userCache(env: Variables, os: string): string | undefined {
  const below = (folder: string | undefined, ...names: string[]) =>
    folder && isAbsolute(folder) ? join(folder, ...names, "temper") : undefined;
  if (os === "windows") return below(env["LOCALAPPDATA"]);
  if (os === "darwin") return below(env["HOME"], "Library", "Caches");
  return below(env["XDG_CACHE_HOME"]) ?? below(env["HOME"], ".cache");
}
