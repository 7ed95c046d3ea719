import { join } from "../../deps/path.ts";
import type { Clock } from "../clock.ts";
import { type Fs, sha256 } from "./fs.ts";
import { canonicalJson } from "../json/json.ts";

/** A file changed this recently may change again within the clock's grain, unseen by size and time. */
const SETTLED_MS = 2000;

/**
 * The sha256 of a file, taken from the memo while path, size, time and inode are the ones it was made for,
 * otherwise by reading the file. Writes nothing.
 */
export async function digestOf(path: string, fs: Fs, cacheDir: string): Promise<string> {
  const stamp = await stampOf(path, fs);
  const remembered = stamp && await readMemo(memoPath(path, cacheDir), fs);
  return remembered && remembered.stamp === stamp ? remembered.sha256 : await fs.sha256(path);
}

/**
 * Keeps a digest that was just computed, so that the next `digestOf` need not read the file. `before` is the
 * file's `stampOf` from before it was read: a file that changed meanwhile, or a moment ago, is not remembered.
 */
export async function rememberDigest(
  path: string,
  digest: string,
  before: string | undefined,
  env: { readonly fs: Fs; readonly clock: Clock; readonly cacheDir: string },
): Promise<void> {
  const stat = await env.fs.stat(path);
  const stamp = await stampOf(path, env.fs);
  if (!stat || !stamp || stamp !== before || env.clock.now() - stat.mtime < SETTLED_MS) return;
  const memo = memoPath(path, env.cacheDir);
  await env.fs.mkdirp(join(env.cacheDir, "digests"));
  await env.fs.writeAtomic(memo, canonicalJson({ stamp, sha256: digest }) + "\n");
}

/** What must stay the same for a digest to hold. `undefined` when nothing is there. */
export async function stampOf(path: string, fs: Fs): Promise<string | undefined> {
  const stat = await fs.stat(path);
  return stat && canonicalJson([path, stat.size, stat.mtime, stat.inode]);
}

function memoPath(path: string, cacheDir: string): string {
  return join(cacheDir, "digests", `${sha256(path).slice(0, 32)}.json`);
}

async function readMemo(path: string, fs: Fs): Promise<{ stamp: string; sha256: string } | undefined> {
  if (!await fs.stat(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(await fs.readText(path));
  } catch {
    // A memo that cannot be read only costs the reading of the file.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { stamp, sha256: digest } = value as Record<string, unknown>;
  return typeof stamp === "string" && typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest)
    ? { stamp, sha256: digest }
    : undefined;
}
