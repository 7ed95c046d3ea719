import { join, matchesGlob } from "../../deps/path.ts";
import { UsageError } from "../errors.ts";
import type { Fs } from "./fs.ts";

/** A pattern such as `/**` on a large disk fails with a message instead of running for minutes. */
const MAX_ENTRIES = 100_000;

/** Whether a path is a pattern: `*`, `?`, `[…]`, `{…}`, `**`. */
export function isGlob(path: string): boolean {
  return /[*?[\]{}]/.test(path);
}

/**
 * The files that an absolute pattern matches, sorted by path. Names that begin with a dot are matched only
 * where the pattern names the dot. Links are followed, but never back into a folder above them.
 */
export async function expandGlob(pattern: string, fs: Fs): Promise<string[]> {
  const segments = pattern.split("/");
  const fixed = segments.findIndex(isGlob);
  if (fixed < 0) return (await fs.stat(pattern))?.isFile ? [pattern] : [];
  const root = segments.slice(0, fixed).join("/") || "/";
  const walk: Walk = {
    fs,
    pattern,
    hidden: /(^|[/{,])\./.test(segments.slice(fixed).join("/")),
    // A brace may hold slashes, so only a pattern without braces tells how deep its matches lie.
    depth: /\*\*|\{/.test(pattern) ? Infinity : segments.length - fixed,
    found: [],
    seen: 0,
  };
  if ((await fs.stat(root))?.isDirectory) await visit(walk, root, [await fs.realPath(root)]);
  return walk.found.sort();
}

interface Walk {
  readonly fs: Fs;
  readonly pattern: string;
  readonly hidden: boolean;
  readonly depth: number;
  readonly found: string[];
  seen: number;
}

async function visit(walk: Walk, dir: string, above: readonly string[]): Promise<void> {
  for (const name of await walk.fs.list(dir)) {
    if (name.startsWith(".") && !walk.hidden) continue;
    if (++walk.seen > MAX_ENTRIES) {
      throw new UsageError(
        "glob-too-wide",
        `Cannot expand "${walk.pattern}": more than ${MAX_ENTRIES} files and folders are below it`,
        { hint: "Start the pattern with the folder that contains the files" },
      );
    }
    const path = join(dir, name);
    const stat = await statOrLoop(walk.fs, path);
    if (stat?.isDirectory && above.length < walk.depth) {
      const real = await walk.fs.realPath(path);
      if (!above.includes(real)) await visit(walk, path, [...above, real]);
    } else if (stat?.isFile && matchesGlob(path, walk.pattern)) {
      walk.found.push(path);
    }
  }
}

/** A link to itself or to nothing matches no file. */
async function statOrLoop(fs: Fs, path: string) {
  try {
    return await fs.stat(path);
  } catch (error) {
    if (isLinkLoop(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that links lead back to themselves (ELOOP). */
export function isLinkLoop(error: unknown): boolean {
  return error instanceof Error &&
    ((error as { code?: string }).code === "ELOOP" || error.name === "FilesystemLoop");
}
