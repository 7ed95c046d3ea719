import { join } from "../../deps/path.ts";
import { z } from "../../deps/zod.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { readJson, writeJson } from "../../lib/json/json_file.ts";

const FILE = "sources.json";

const sourceFile = z.object({
  /** The source's label: no folders but those that tell it from others. */
  path: z.string(),
  set: z.enum(["train", "eval"]),
  bytes: z.int(),
  sha256: z.string(),
  rows: z.int(),
}).readonly();
/** A source in sources.json. */
export type SourceFile = z.infer<typeof sourceFile>;

export async function writeSourceFiles(folder: string, files: readonly SourceFile[], fs: Fs): Promise<void> {
  await writeJson(join(folder, FILE), files, fs);
}

/** The sources that extract has read into `folder`. */
export function readSourceFiles(folder: string, fs: Fs): Promise<SourceFile[]> {
  return readJson(join(folder, FILE), z.array(sourceFile), fs);
}
