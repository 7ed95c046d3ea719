import { join } from "../../src/deps/path.ts";
import { z } from "../../src/deps/zod.ts";
import { readLines } from "../../src/lib/files/lines.ts";
import type { ReadFs } from "../../src/lib/files/read_fs.ts";
import { parseJson } from "../../src/lib/json/json_file.ts";
import type { RunState } from "../../src/log/run_state.ts";
import { stepFolder } from "../run_details.ts";

const call = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string(), arguments: z.unknown() }),
});
/** A turn as it was trained, of every version and provider. Content in parts is for services only. */
const turn = z.object({
  role: z.string(),
  content: z.union([z.string(), z.array(z.unknown())]).nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(call).nullish(),
  tool_call_id: z.string().nullish(),
  name: z.string().nullish(),
  weight: z.number().nullish(),
});
const tool = z.looseObject({
  function: z.looseObject({ name: z.string(), description: z.string().nullish() }).optional(),
});
const conversation = z.object({
  origin: z.string(),
  messages: z.array(turn).readonly(),
  /** The answer of a pair that is to be given less. */
  rejected: turn.optional(),
  tools: z.array(tool).readonly().nullish(),
}).readonly();
export type Conversation = z.infer<typeof conversation>;
export type Turn = z.infer<typeof turn>;

/**
 * The conversations of held-out rows by their origin. Those that were trained come first: their tools are written as
 * the server will write them. None where an older run kept none, or another step failed before.
 */
export async function conversationsOf(
  fs: ReadFs,
  dir: string,
  state: RunState,
  origins: readonly string[],
): Promise<ReadonlyMap<string, Conversation>> {
  const formatted = stepFolder(state, "format");
  const folders = ["job", ...formatted === undefined ? [] : [formatted]];
  const found = new Map<string, Conversation>();
  for (const path of folders.map((folder) => join(dir, folder, "eval.jsonl"))) {
    const wanted = new Set(origins.filter((origin) => !found.has(origin)));
    if (wanted.size > 0 && (await fs.stat(path))?.isFile) await find(fs, path, wanted, found);
  }
  return found;
}

async function find(
  fs: ReadFs,
  path: string,
  wanted: Set<string>,
  found: Map<string, Conversation>,
): Promise<void> {
  for await (const { lines, first } of readLines(fs.readChunks(path))) {
    for (const [i, line] of lines.entries()) {
      const origin = originOf(line);
      if (origin === undefined || !wanted.delete(origin)) continue;
      found.set(origin, parseJson(line, conversation, `the conversation at "${path}:${first + i}"`));
      if (wanted.size === 0) return;
    }
  }
}

/** A line begins with its origin: the rest is only read where it is shown. */
function originOf(line: string): string | undefined {
  const [, text] = /^\{"origin":("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
  return text === undefined ? undefined : JSON.parse(text);
}
