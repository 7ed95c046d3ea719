import { join } from "node:path";
import type { Fs } from "../../lib/fs.ts";
import { readLines } from "../../lib/lines.ts";

/** Names of the examples in the folder of format and in a job folder. */
export const TRAIN_FILE = "train.jsonl";
export const EVAL_FILE = "eval.jsonl";

/** Puts the examples into a job folder. Returns `data` of job.json. */
export async function linkExamples(from: string, to: string, fs: Fs) {
  await fs.linkOrCopy(join(from, TRAIN_FILE), join(to, TRAIN_FILE));
  const held = await fs.stat(join(from, EVAL_FILE));
  if (held) await fs.linkOrCopy(join(from, EVAL_FILE), join(to, EVAL_FILE));
  return { train: TRAIN_FILE, eval: held ? EVAL_FILE : null };
}

/** The system prompt that every training row begins with; `undefined` when they differ or one has none. */
export async function sharedSystem(folder: string, fs: Fs): Promise<string | undefined> {
  let shared: string | undefined;
  for await (const { lines } of readLines(fs.readStream(join(folder, TRAIN_FILE)))) {
    for (const line of lines) {
      if (line === "") continue;
      const first = JSON.parse(line).messages[0];
      if (first?.role !== "system" || first.content !== (shared ??= first.content)) return undefined;
    }
  }
  return shared;
}
