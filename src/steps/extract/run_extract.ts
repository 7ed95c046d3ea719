import { join } from "../../deps/path.ts";
import { UsageError } from "../../lib/errors.ts";
import { rememberDigest, stampOf } from "../../lib/files/digest_memo.ts";
import type { Fs } from "../../lib/files/fs.ts";
import { LineWriter } from "../../lib/files/line_writer.ts";
import type { DataContext, StepContext, StepOutcome } from "../step.ts";
import { Problems } from "./problems.ts";
import { readSource, type ReadThrough } from "./read_source.ts";
import { type SourceFile, writeSourceFiles } from "./source_file.ts";
import { readingOf, resolveSources, type SetName, type Source, unreadable } from "./sources.ts";

const FILES: { readonly [S in SetName]: string } = { train: "rows.jsonl", eval: "eval.jsonl" };
const PROGRESS_ROWS = 50_000;

/** Reads every source. Throws what is wrong with them. */
export async function runExtract(context: StepContext): Promise<StepOutcome> {
  const problems = new Problems();
  const files = await extractRows(context, problems);
  problems.throwIfAny();
  const rowsOf = (set: SetName) => sum(files.flatMap((file) => file.set === set ? file.rows : []));
  return {
    summary: {
      files: files.length,
      bytes: sum(files.map(({ bytes }) => bytes)),
      train: rowsOf("train"),
      eval: rowsOf("eval"),
    },
  };
}

/**
 * Writes the rows that can be read, and what was read. `mostBytes`: so many of all files together; what is larger is
 * read from the beginning of each.
 */
export async function extractRows(
  context: DataContext,
  problems: Problems,
  mostBytes = Infinity,
): Promise<SourceFile[]> {
  const { fs, loaded, out } = context;
  const sources = await resolveSources(loaded, fs);
  const share = await shareOf(sources, mostBytes, fs);
  const files: SourceFile[] = [];
  for (const set of ["train", "eval"] as const) {
    const ofSet = sources.filter((source) => source.set === set);
    if (ofSet.length === 0) continue;
    const writer = await LineWriter.create(join(out, FILES[set]), fs);
    try {
      for (const source of ofSet) {
        const reading = await copy(source, { writer, problems, context, mostBytes: share });
        files.push({ path: source.label, set, ...reading });
      }
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    await writer.finish();
    if (writer.count === 0 && problems.count === 0) throw noRows(set, ofSet);
  }
  await writeSourceFiles(out, files, fs);
  return files;
}

/** Most bytes of each file. */
async function shareOf(sources: readonly Source[], mostBytes: number, fs: Fs): Promise<number> {
  if (mostBytes === Infinity) return Infinity;
  const sizes = await Promise.all(sources.map(async ({ path }) => (await fs.stat(path))?.size ?? 0));
  return sum(sizes) <= mostBytes ? Infinity : mostBytes / sources.length;
}

interface Copying {
  readonly writer: LineWriter;
  readonly problems: Problems;
  readonly context: DataContext;
  readonly mostBytes: number;
}

async function copy(
  source: Source,
  { writer, problems, context, mostBytes }: Copying,
): Promise<ReadThrough & { readonly rows: number }> {
  const { fs, signal, progress } = context;
  const before = await stampOf(source.path, fs);
  const origin = `{"origin":${JSON.stringify(source.label).slice(0, -1)}:`;
  const rows = readSource(
    { ...source, reading: readingOf(source) },
    fs,
    (line, problem, advice) => problems.add(source, line, problem, advice),
  );
  const first = writer.count;
  let told = first;
  let bytes = 0;
  try {
    for (;;) {
      const { value, done } = await rows.next();
      if (done) {
        await rememberDigest(source.path, value.sha256, before, context);
        return { ...value, rows: writer.count - first };
      }
      for (const { line, json } of value) {
        writer.add(`${origin}${line}","row":${json}}`);
        bytes += json.length;
      }
      // Read in part, it has no digest.
      if (bytes > mostBytes) return { bytes, sha256: "", rows: writer.count - first };
      await writer.drain();
      signal.throwIfAborted();
      if (writer.count - told < PROGRESS_ROWS) continue;
      told = writer.count;
      progress({ phase: `reading ${source.label}`, done: told, unit: "rows" });
    }
  } catch (error) {
    throw unreadable(error, source);
  } finally {
    await rows.return(undefined as never);
  }
}

function noRows(set: SetName, sources: readonly Source[]): UsageError {
  const field = set === "train" ? "dataset.source" : "dataset.eval";
  const names = sources.map(({ label }) => `"${label}"`).join(", ");
  return new UsageError(
    "dataset-empty",
    `Cannot read ${field}: ${names} ${sources.length === 1 ? "has" : "have"} no rows`,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
