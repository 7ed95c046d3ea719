import { dirname, join } from "../deps/path.ts";
import { filesBelow, makeFolder } from "../lib/files/folder.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { Output } from "../log/events.ts";

/** Makes a finished folder durable and says what is in it. */
export async function seal(fs: Fs, dir: string): Promise<Output[]> {
  const outputs: Output[] = [];
  const folders = new Set([dir]);
  for (const path of await filesBelow(dir, fs)) {
    const file = join(dir, path);
    await fs.syncFile(file);
    outputs.push({ path, sha256: await fs.sha256(file), bytes: (await fs.stat(file))?.size ?? 0 });
    for (let up = dirname(file); !folders.has(up); up = dirname(up)) folders.add(up);
  }
  for (const folder of folders) await fs.syncDir(folder);
  return outputs;
}

/** Why outputs are not what they were; `undefined` when all are present with their size. */
export async function missing(fs: Fs, dir: string, outputs: readonly Output[]): Promise<string | undefined> {
  for (const { path, bytes } of outputs) {
    const stat = await fs.stat(join(dir, path));
    if (!stat?.isFile) return `"${path}" is missing`;
    if (stat.size !== bytes) return `"${path}" has ${stat.size} bytes instead of ${bytes}`;
  }
  return undefined;
}

/** Puts the same files into another folder, as links where that is possible, and makes them durable. */
export async function linkOutputs(
  fs: Fs,
  from: string,
  to: string,
  outputs: readonly Output[],
): Promise<void> {
  await fs.mkdirp(to);
  const folders = new Set([to]);
  for (const { path } of outputs) {
    const target = join(to, path);
    await fs.mkdirp(dirname(target));
    await fs.linkOrCopy(join(from, path), target);
    await fs.syncFile(target);
    for (let up = dirname(target); !folders.has(up); up = dirname(up)) folders.add(up);
  }
  for (const folder of folders) await fs.syncDir(folder);
}

/** Puts a finished folder in its place, over what an interrupted attempt may have left there. */
export async function replaceDir(fs: Fs, from: string, to: string): Promise<void> {
  await makeFolder(dirname(to), fs);
  await fs.remove(to);
  await fs.rename(from, to);
  await fs.syncDir(dirname(to));
}
