import { join } from "../../../deps/path.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { LineWriter } from "../../../lib/files/line_writer.ts";
import { readLines } from "../../../lib/files/lines.ts";

/** Names of the examples in the folder of format and in a job folder. */
export const TRAIN_FILE = "train.jsonl";
export const EVAL_FILE = "eval.jsonl";

/** Writes the tools of an example, and its calls of them, the way a server will pass them to the template. */
export interface SentTools {
  /** Part of configure's key: what the rewriting depends on. */
  readonly version: number;
  rewrite(example: JsonObject): JsonObject;
  /** What the server drops of the example's tools. */
  lost(example: JsonObject): readonly string[];
}

/** What a server drops of tools → in how many examples. */
export type LostKeys = Map<string, number>;

/** Puts the examples into a job folder. Returns `data` of job.json, and what of the tools is not trained. */
export async function placeExamples(from: string, to: string, fs: Fs, sent: SentTools | undefined) {
  const lost: LostKeys = new Map();
  const held = await fs.stat(join(from, EVAL_FILE));
  for (const name of held ? [TRAIN_FILE, EVAL_FILE] : [TRAIN_FILE]) {
    if (sent && await mentionsTools(join(from, name), fs)) await rewrite(name, { from, to, fs, sent, lost });
    else await fs.linkOrCopy(join(from, name), join(to, name));
  }
  return { data: { train: TRAIN_FILE, eval: held ? EVAL_FILE : null }, lost };
}

async function mentionsTools(path: string, fs: Fs): Promise<boolean> {
  for await (const { lines } of readLines(fs.readStream(path))) if (lines.some(hasTools)) return true;
  return false;
}

function hasTools(line: string): boolean {
  return line.includes('"tools":') || line.includes('"tool_calls":');
}

async function rewrite(
  name: string,
  { from, to, fs, sent, lost }: {
    readonly from: string;
    readonly to: string;
    readonly fs: Fs;
    readonly sent: SentTools;
    readonly lost: LostKeys;
  },
): Promise<void> {
  const out = await LineWriter.create(join(to, name), fs);
  try {
    for await (const { lines } of readLines(fs.readStream(join(from, name)))) {
      for (const line of lines.filter((text) => text !== "")) {
        if (!hasTools(line)) {
          out.add(line);
          continue;
        }
        const example: JsonObject = JSON.parse(line);
        out.add(JSON.stringify(sent.rewrite(example)));
        for (const key of new Set(sent.lost(example))) lost.set(key, (lost.get(key) ?? 0) + 1);
      }
      await out.drain();
    }
    await out.finish();
  } finally {
    await out.abandon();
  }
}

/** Whether any training row has an answer with reasoning. */
export async function someThink(folder: string, fs: Fs): Promise<boolean> {
  for await (const { lines } of readLines(fs.readStream(join(folder, TRAIN_FILE)))) {
    if (lines.some((line) => /"reasoning_content":"[^"]/.test(line))) return true;
  }
  return false;
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
