import { dirname } from "../../deps/path.ts";
import type { Fs } from "./fs.ts";

/** The path itself, or the nearest folder above it that exists. */
export async function existingParent(fs: Fs, path: string): Promise<string> {
  for (let at = path;; at = dirname(at)) {
    if (await fs.stat(at) || at === dirname(at)) return at;
  }
}
