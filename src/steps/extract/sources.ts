import { resolve } from "../../deps/path.ts";
import { UsageError } from "../../lib/errors.ts";
import type { FileStat, Fs } from "../../lib/files/fs.ts";
import { expandGlob, isGlob, isLinkLoop } from "../../lib/files/glob.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import { NAME_ONCE, NamedFiles } from "../../spec/rules/named_files.ts";
import type { SourceOptions } from "../../spec/schema/schema.ts";
import { sourceEntries, type SourceEntry } from "../../spec/rules/source_entries.ts";

export const SUFFIXES = [".jsonl", ".json", ".csv", ".tsv"] as const;
export type Suffix = (typeof SUFFIXES)[number];
export type SetName = "train" | "eval";

/** One file of rows. */
export interface Source {
  readonly set: SetName;
  /** Absolute. */
  readonly path: string;
  readonly suffix: Suffix;
  /** The file's name, with as many folders before it as tell it from the other sources. */
  readonly label: string;
  /** What the pipeline file says about it, and the path or pattern it says it of. */
  readonly entry: SourceEntry;
}

/** What a pipeline file can say about how a file is read, before its rows become conversations. */
export const READING = ["delimiter", "quote", "encoding"] as const;
export type Reading = Pick<SourceOptions, (typeof READING)[number]>;

/** What the pipeline file says about reading a source; what it leaves out is not there. */
export function readingOf({ entry: { options } }: Source): { readonly [K in keyof Reading]: string } {
  const given = READING.flatMap((key) => options[key] === undefined ? [] : [[key, options[key]]]);
  return Object.fromEntries(given);
}

/** The files that a pipeline's dataset names, in the order it names them. */
export async function resolveSources({ spec, dir }: LoadedSpec, fs: Fs): Promise<Source[]> {
  const { source, eval: evaluation } = spec.dataset;
  if (typeof source === "object" && "sql" in source) {
    throw new UsageError(
      "source-unsupported",
      "Cannot read dataset.source: SQL sources are not supported yet",
      { hint: "Use files: .jsonl, .json, .csv or .tsv" },
    );
  }
  const problems: string[] = [];
  const files = [
    ...await filesOf("train", sourceEntries(source), dir, fs, problems),
    ...await filesOf("eval", sourceEntries(evaluation), dir, fs, problems),
  ];
  if (problems.length > 0) {
    throw new UsageError("source-unusable", `Cannot read the dataset: ${problems.join("\n  ")}`, {
      hint: "Paths are relative to the folder of the pipeline file",
    });
  }
  const labels = shortLabels(files.map(({ path }) => path));
  return files.map((file) => ({ ...file, label: labels.get(file.path) as string }));
}

async function filesOf(
  set: SetName,
  entries: readonly SourceEntry[],
  dir: string,
  fs: Fs,
  problems: string[],
): Promise<Omit<Source, "label">[]> {
  const named = new NamedFiles(fs);
  const files: Omit<Source, "label">[] = [];
  for (const entry of entries) {
    const pattern = entry.path;
    const path = resolve(dir, pattern);
    const stat = await statOr(path, fs, problems, pattern);
    if (stat === "problem") continue;
    // A file may have brackets in its name, so what exists under the name itself comes first.
    const found = stat ? [path] : isGlob(pattern) ? await expandGlob(path, fs) : [];
    if (found.length === 0) {
      problems.push(isGlob(pattern) ? `no file matches "${pattern}"` : `there is no file "${pattern}"`);
    }
    const repeat = await named.add(pattern, found);
    if (repeat) throw sourceTwice(set, repeat.text);
    for (const path of found) {
      const suffix = SUFFIXES.find((known) => path.toLowerCase().endsWith(known));
      if (suffix) files.push({ set, path, suffix, entry });
      else problems.push(`"${path}" has none of the endings ${SUFFIXES.join(", ")}`);
    }
  }
  return files;
}

function sourceTwice(set: SetName, found: string): UsageError {
  const field = set === "train" ? "dataset.source" : "dataset.eval";
  return new UsageError("source-twice", `Cannot read ${field}: ${found}`, {
    hint: NAME_ONCE.replace(/^./, (letter) => letter.toUpperCase()),
  });
}

async function statOr(
  path: string,
  fs: Fs,
  problems: string[],
  name: string,
): Promise<FileStat | undefined | "problem"> {
  try {
    const stat = await fs.stat(path);
    if (!stat || stat.isFile) return stat;
    problems.push(
      stat.isDirectory
        ? `"${name}" is a folder; name its files, such as "${name.replace(/\/$/, "")}/*.jsonl"`
        : `"${name}" is neither a file nor a folder`,
    );
  } catch (error) {
    if (!isLinkLoop(error)) throw error;
    problems.push(`"${name}" is a symbolic link that points back to itself`);
  }
  return "problem";
}

/** For each path the shortest tail that no other path has. */
function shortLabels(paths: readonly string[]): Map<string, string> {
  const labels = new Map<string, string>();
  let open = [...new Set(paths)];
  for (let length = 1; open.length > 0; length++) {
    const tail = (path: string) => path.split("/").slice(-length).join("/");
    const counts = new Map<string, number>();
    for (const path of new Set(paths)) counts.set(tail(path), (counts.get(tail(path)) ?? 0) + 1);
    for (const path of open) if (counts.get(tail(path)) === 1) labels.set(path, tail(path));
    open = open.filter((path) => !labels.has(path));
  }
  return labels;
}

/** The error of a file that cannot be read, as the user is told of it. */
export function unreadable(error: unknown, { path }: Source): unknown {
  const denied = error instanceof Error && /^(PermissionDenied|NotCapable)$/.test(error.name);
  if (!denied) return error;
  return new UsageError("source-unreadable", `Cannot read "${path}": permission denied`, { cause: error });
}
