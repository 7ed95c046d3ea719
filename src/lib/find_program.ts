import { delimiter, isAbsolute, join } from "../deps/path.ts";
import type { Fs } from "./files/fs.ts";

/** A program's path on PATH; undefined when it is not there. */
export async function findProgram(
  name: string,
  { fs, env }: { readonly fs: Fs; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<string | undefined> {
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter(isAbsolute)) {
    if ((await fs.stat(join(folder, name)))?.isFile) return join(folder, name);
  }
  return undefined;
}
