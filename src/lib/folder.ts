import { Buffer } from "node:buffer";
import { join } from "node:path";
import { type Fs, sha256 } from "./fs.ts";

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

export interface FolderDigest {
  /** sha256 over the sorted lines `<sha256>  <name>\n` of its files. */
  readonly sha256: string;
  readonly bytes: number;
}

export async function folderDigest(folder: string, fs: Fs): Promise<FolderDigest> {
  let lines = "";
  let bytes = 0;
  for (const name of await filesBelow(folder, fs)) {
    lines += `${await fs.sha256(join(folder, name))}  ${name}\n`;
    bytes += (await fs.stat(join(folder, name)))?.size ?? 0;
  }
  return { sha256: sha256(lines), bytes };
}
