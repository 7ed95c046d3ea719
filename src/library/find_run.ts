import { dirname, resolve } from "../deps/path.ts";
import { UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import { listRuns, type RunEntry, runEntry } from "../log/read_run.ts";
import { nameInId } from "../run/run_id.ts";

const SHOWN = 5;

export interface FoundRun extends RunEntry {
  /** How many runs have the name that was given, of which this is the latest. Absent where an id or a path was given. */
  readonly among?: number;
}

/**
 * The run that `RUN` means. The first that applies: `last`; an id; the beginning of one id only; a pipeline's name, for
 * its latest run. Where it contains a slash it is a path to a run's folder, and so is a word that means nothing else.
 */
export async function findRun(fs: Fs, runsDir: string, reference: string, cwd = ""): Promise<FoundRun> {
  // Completed by a shell, a folder ends with a slash.
  const word = reference.replace(/(?<=.)\/+$/, "");
  const path = resolve(cwd, word);
  if (/\/|^\.\.?$/.test(word)) return await runEntry(fs, path) ?? await noRunAt(fs, path, reference);
  const runs = await listRuns(fs, runsDir);
  const found = byWord(runs, word) ?? (word === "" ? undefined : await runEntry(fs, path));
  if (found) return found;
  throw runs.length === 0 ? noRuns(reference, runsDir) : unknown(reference, runs, runsDir);
}

function byWord(runs: readonly RunEntry[], word: string): FoundRun | undefined {
  const [latest] = runs;
  if (!latest || word === "") return undefined;
  if (word === "last") return latest;
  const exact = runs.find(({ id }) => id === word);
  if (exact) return exact;
  const matches = runs.filter(({ id }) => id.startsWith(word));
  if (matches.length === 1) return matches[0]!;
  if (matches.length > 1) throw ambiguous(word, matches);
  const [newest, ...older] = runs.filter(({ id }) => nameInId(id) === word);
  return newest && { ...newest, among: 1 + older.length };
}

async function noRunAt(fs: Fs, path: string, reference: string): Promise<never> {
  const within = await runEntry(fs, dirname(path));
  const inside = (await fs.stat(path))?.isDirectory ? await listRuns(fs, path) : [];
  throw new UsageError(
    "unknown-run",
    `Cannot find run "${reference}": "${path}" is not the folder of a run`,
    {
      hint: within
        ? `Give the run's folder: ${within.dir}`
        : inside.length > 0
        ? `It contains runs: ${list(inside)}`
        : "A path leads to a run's folder, such as runs/ID, which contains events.jsonl",
    },
  );
}

function noRuns(reference: string, runsDir: string): UsageError {
  return new UsageError("no-runs", `Cannot find run "${reference}": no run in "${runsDir}"`, {
    hint: "Start one with: `temper run FILE`, or give the runs' folder with --runs DIR",
  });
}

function ambiguous(reference: string, matches: readonly RunEntry[]): UsageError {
  return new UsageError(
    "ambiguous-run",
    `Cannot find run "${reference}": ${matches.length} ids begin with it`,
    { hint: `Give more of the id: ${list(matches)}` },
  );
}

function unknown(reference: string, runs: readonly RunEntry[], runsDir: string): UsageError {
  const near = runs.filter(({ id }) => reference !== "" && id.includes(reference));
  const names = new Set(runs.flatMap(({ id }) => nameInId(id) ?? []));
  const close = near.length > 0 ? `did you mean ${list(near)}` : didYouMean(reference, names);
  return new UsageError(
    "unknown-run",
    `Cannot find run "${reference}": no id in "${runsDir}" begins with it, and no pipeline has this name`,
    { hint: close?.replace("did", "Did") ?? `The latest: ${list(runs)}` },
  );
}

function list(runs: readonly RunEntry[]): string {
  const ids = runs.slice(0, SHOWN).map(({ id }) => id).join(", ");
  return runs.length > SHOWN ? `${ids}, … (\`temper runs\` lists them all)` : ids;
}
