import { join } from "../../../deps/path.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { readLines } from "../../../lib/files/lines.ts";
import { originsOf } from "./example_file.ts";
import type { JobFile } from "../job/job_file.ts";

const MOST = 5;

/** Where the rows come from that a service names by their number in the file: `, which is data.jsonl:17`. */
export async function rowsNamed(
  words: string,
  param: string | null | undefined,
  { training, validation }: JobFile,
  configured: string,
  fs: Fs,
): Promise<string[]> {
  const numbers = [...words.matchAll(/\b(?:[Ee]xamples?|[Ll]ine|[Rr]ow)\s+#?(\d+)/g)].map(([, n]) =>
    Number(n)
  );
  const file = param === "validation_file" ? validation : training;
  if (numbers.length === 0 || !file) return [];
  const wanted = new Set(numbers.slice(0, MOST));
  const found: string[] = [];
  const path = join(configured, originsOf(file.name));
  for await (const { first, lines } of readLines(fs.readStream(path))) {
    for (const [i, line] of lines.entries()) {
      if (wanted.has(first + i) && line !== "") found.push(`row ${first + i} is ${line}`);
    }
  }
  return found;
}
