import { basename, join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { readLines } from "../../../lib/files/lines.ts";
import type { MonitorWork } from "../../provider.ts";
import { adviceFor } from "../errors.ts";
import { originsOf } from "../upload/example_file.ts";
import { type JobFile, readJobFile } from "./job_file.ts";
import type { JobView } from "./job_view.ts";

/** Most rows whose origin is looked up. */
const MOST_ROWS = 5;

/** Throws the reason of a job that did not succeed. */
export async function refuseFailed(work: MonitorWork, job: JobView): Promise<void> {
  if (job.status === "succeeded") return;
  if (job.status === "cancelled") {
    throw new TemperError("job-cancelled", `Cannot finish: job ${job.id} was cancelled at the service`, {
      hint: "Run the same command again to start a new one",
    });
  }
  const { code, message, param } = job.error ?? {};
  const words = message ?? "the service gives no reason";
  const configured = await readJobFile(work.configured, work.fs);
  const rows = await rowsNamed(words, param, configured, work.configured, work.fs);
  const advice = adviceFor(code, words);
  const facts = [code, param].filter((fact) => fact).join(", ");
  throw new TemperError(
    advice?.code ?? "job-failed",
    `Cannot finish: job ${job.id} failed${facts === "" ? "" : ` (${facts})`}: ${words}` +
      rows.map((row) => `\n  ${row}`).join(""),
    { hint: advice?.hint ?? `Its events may show more: \`temper logs ${basename(work.runDir)}\`` },
  );
}

/** Services name rows by their number in the uploaded file: the file and line that each came from. */
async function rowsNamed(
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
  const wanted = new Set(numbers.slice(0, MOST_ROWS));
  const found: string[] = [];
  for await (const { first, lines } of readLines(fs.readStream(join(configured, originsOf(file.name))))) {
    for (const [i, line] of lines.entries()) {
      if (wanted.has(first + i) && line !== "") found.push(`row ${first + i} is ${line}`);
    }
  }
  return found;
}
