import { join, resolve } from "../deps/path.ts";
import { UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { withMemoryFolder } from "../lib/files/memory_folder.ts";
import { writeJson } from "../lib/json/json_file.ts";
import { bytes, count, counted } from "../lib/text/format.ts";
import type { Env, Examples } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { FieldProblem } from "../spec/rules/field_problem.ts";
import { place } from "../spec/yaml/path.ts";
import { extractRows } from "./extract/run_extract.ts";
import { Problems } from "./extract/problems.ts";
import type { SourceFile } from "./extract/source_file.ts";
import { resolveSources } from "./extract/sources.ts";
import { dataProblems } from "./format/checks/enforce_checks.ts";
import { lengthProblems } from "./format/checks/row_lengths.ts";
import { DatasetError, type DatasetFault } from "./format/dataset_error.ts";
import { formatRows } from "./format/run_format.ts";
import type { DataContext } from "./step.ts";

/** Read of all sources together: what is read is kept in memory. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** How often the rows are read again as a mistake in the pipeline file was probably meant. */
const MOST_GUESSES = 8;
/** A folder that exists nowhere but in memory. */
const ROOT = resolve("/temper-in-memory");
const ROWS = join(ROOT, "extract");

/** What the rows of a pipeline show before there is a run. */
export interface Examined {
  /** Errors and warnings. */
  readonly problems: readonly FieldProblem[];
  /** How much was read, in words. */
  readonly read: string;
  /** What format would have written, unless something was wrong with the rows or not all were read. */
  readonly formatted?: Examples;
}

/**
 * Reads the rows as extract and format do, in memory, and says all that is wrong with them. A mistake in the pipeline
 * file hides nothing behind it: where it shows what was meant, the rows are checked as if it said so.
 */
export async function examine(loaded: LoadedSpec, env: Env, mostBytes = MOST_BYTES): Promise<Examined> {
  const problems: FieldProblem[] = [];
  let asked = loaded;
  for (let guesses = 0;; guesses++) {
    try {
      const found = await examineOnce(asked, env, mostBytes);
      const all = [...problems, ...found.problems];
      const isUsable = !all.some(({ severity }) => severity !== "warning") && found.isWhole;
      const { fs, dir } = found;
      return {
        problems: all,
        read: found.read,
        ...isUsable && { formatted: { fs, dir } },
      };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const faults = error instanceof DatasetError ? error.faults : [faultOf(error)];
      const next = guesses < MOST_GUESSES ? asMeant(asked, faults) : undefined;
      problems.push(...faults.map((fault) => withOutlook(fault, next !== undefined)));
      if (!next) return { problems, read: "the rows were not checked further" };
      asked = next;
    }
  }
}

interface Once {
  readonly problems: readonly FieldProblem[];
  readonly read: string;
  readonly isWhole: boolean;
  readonly fs: Fs;
  readonly dir: string;
}

async function examineOnce(loaded: LoadedSpec, env: Env, mostBytes: number): Promise<Once> {
  const fs = withMemoryFolder(env.fs, ROOT);
  const dir = join(ROOT, "format");
  const context = contextOf({ ...env, fs }, loaded);
  const faults = new Problems();
  const files = await extractRows({ ...context, out: ROWS }, faults, mostBytes);
  const { report, firsts } = await formatRows({ ...context, out: dir });
  await writeJson(join(dir, "report.json"), report, fs);
  const part = await partOf(files, loaded, fs);
  const problems = [
    ...sourceProblems(faults),
    ...dataProblems(report, firsts, part === undefined && faults.count === 0),
    ...await lengthProblems(loaded, { ...env, fs }, dir),
    ...part === undefined ? [] : [part],
  ];
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const read = `${counted(rows, "row")} read`;
  return { problems, read, isWhole: part === undefined, fs, dir };
}

function contextOf(env: Env, loaded: LoadedSpec): Omit<DataContext, "out"> {
  return {
    ...env,
    // Nothing is remembered: it would be written.
    cacheDir: join(ROOT, "cache"),
    loaded,
    signal: new AbortController().signal,
    progress() {},
    input: (kind) => join(ROOT, kind),
  };
}

/** Lines that are no rows. */
function sourceProblems(faults: Problems): FieldProblem[] {
  if (faults.count === 0) return [];
  const first = faults.shown.map(({ origin, problem }) => ({ origin, field: "", problem, excerpt: "" }));
  return [{
    path: ["dataset", "source"],
    at: "value",
    message: `${counted(faults.count, "problem")} in lines that cannot be read as rows`,
    hint: faults.hint,
    rows: { count: faults.count, first },
  }];
}

/** That not everything was read. */
async function partOf(
  files: readonly SourceFile[],
  loaded: LoadedSpec,
  fs: Fs,
): Promise<FieldProblem | undefined> {
  if (files.every(({ sha256 }) => sha256 !== "")) return undefined;
  const sizes = (await resolveSources(loaded, fs)).map(async ({ path }) => (await fs.stat(path))?.size ?? 0);
  const all = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  const read = files.reduce((sum, file) => sum + file.bytes, 0);
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  return {
    path: ["dataset"],
    mark: ["dataset", "source"],
    at: "value",
    message: `Only the first ${count(rows)} rows were read, ${bytes(read)} of ${bytes(all)}`,
    hint: "`run` checks every row",
    severity: "warning",
  };
}

/** An error that says nothing of its place is about the rows. */
function faultOf({ message, hint }: UsageError): DatasetFault {
  return { path: ["dataset", "source"], at: "value", message, hint };
}

function withOutlook({ meant: _, ...problem }: DatasetFault, goesOn: boolean): FieldProblem {
  const outlook = goesOn
    ? "Everything else was checked with what is probably meant"
    : "The rows were not checked further";
  return { ...problem, hint: problem.hint === undefined ? outlook : `${problem.hint}\n${outlook}` };
}

/** The pipeline as its file may have meant it; `undefined` where that is not known of every mistake. */
function asMeant(loaded: LoadedSpec, faults: readonly DatasetFault[]): LoadedSpec | undefined {
  let spec: unknown = loaded.spec;
  for (const { meant } of faults) {
    const placed = meant && place(spec, meant.path, meant.value);
    if (!placed?.ok) return undefined;
    spec = placed.data;
  }
  return { ...loaded, spec: spec as LoadedSpec["spec"] };
}
