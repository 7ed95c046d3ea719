import { join } from "../src/deps/path.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import type { Invocation } from "../src/lib/text/invocation.ts";

/** What hints call temper in tests. */
export const DENO_TASK: Invocation = { tasks: [], program: ["deno", "task"] };

/** For every temper that a test starts: nothing goes to the user's own cache, and hints are the same everywhere. */
export const HERMETIC = {
  TEMPER_CACHE: join(import.meta.dirname!, "..", ".temper", "tests", "cache"),
  TEMPER_COMMAND: "deno task",
} as const;

/** Names in a folder of runs, without what hides there. */
export async function runNames(dir: string): Promise<string[]> {
  return (await denoFs.list(dir)).filter((name) => !name.startsWith("."));
}
