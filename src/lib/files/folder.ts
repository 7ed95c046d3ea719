import { Buffer } from "node:buffer";
import { basename, dirname, join } from "../../deps/path.ts";
import { type Fs, type ReadFs, sha256 } from "./fs.ts";

/** Paths of all files below a folder, relative to it, with "/" and sorted by their bytes. */
export async function filesBelow(folder: string, fs: Fs): Promise<string[]> {
  const found: string[] = [];
  const visit = async (prefix: string) => {
    for (const name of await fs.list(join(folder, prefix))) {
      const path = prefix === "" ? name : `${prefix}/${name}`;
      const stat = await fs.stat(join(folder, path));
      if (stat?.isDirectory) await visit(path);
      else if (stat?.isFile) found.push(path);
    }
  };
  await visit("");
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The digest of a folder: sha256 over the sorted lines `<sha256>  <name>\n` of its files. */
export function folderDigest(files: readonly { readonly name: string; readonly sha256: string }[]): string {
  return sha256(files.map((file) => `${file.sha256}  ${file.name}\n`).join(""));
}

/** Creates a folder and those above it, each durable by its name: what is made in it cannot vanish with it. */
export async function makeFolder(folder: string, fs: Fs): Promise<void> {
  const parents: string[] = [];
  for (let at = folder; !await fs.stat(at) && at !== dirname(at); at = dirname(at)) parents.push(dirname(at));
  if (parents.length === 0) return;
  await fs.mkdirp(folder);
  for (const parent of parents) await fs.syncDir(parent);
}

/** Whether something has this name, also a link that leads nowhere: what is written there would replace it. */
export async function isTaken(path: string, fs: ReadFs): Promise<boolean> {
  if (await fs.stat(path)) return true;
  const folder = dirname(path);
  return (await fs.stat(folder))?.isDirectory === true && (await fs.list(folder)).includes(basename(path));
}

/** The path itself, or the nearest folder above it that exists. */
export async function existingParent(fs: Fs, path: string): Promise<string> {
  for (let at = path;; at = dirname(at)) {
    if (await fs.stat(at) || at === dirname(at)) return at;
  }
}

/** makeFolder() for a folder that holds what temper makes, runs or a cache: a new one is left out of version control. */
export async function makeOwnDir(folder: string, fs: Fs): Promise<void> {
  if (await fs.stat(folder)) return;
  await makeFolder(folder, fs);
  // Not through a second file: others may be making the same folder, and write the same.
  const file = await fs.create(join(folder, ".gitignore"));
  await file.write("*\n").finally(() => file.close());
}
