import { UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { listRuns, type RunEntry } from "../log/read_run.ts";

const SHOWN = 5;

/** The run that `RUN` on the command line means: an id, a unique prefix of one, or `last`. */
export async function findRun(fs: Fs, runsDir: string, reference: string): Promise<RunEntry> {
  const runs = await listRuns(fs, runsDir);
  const [latest] = runs;
  if (!latest) {
    throw new UsageError("no-runs", `Cannot find run "${reference}": no run in "${runsDir}"`, {
      hint: "Start one with: `temper run FILE`, or give the runs' folder with --runs DIR",
    });
  }
  if (reference === "last") return latest;
  const exact = runs.find(({ id }) => id === reference);
  if (exact) return exact;
  const matches = runs.filter(({ id }) => reference !== "" && id.startsWith(reference));
  if (matches.length === 1) return matches[0]!;
  throw matches.length > 1 ? ambiguous(reference, matches) : unknown(reference, runs, runsDir);
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
  return new UsageError(
    "unknown-run",
    `Cannot find run "${reference}": no id in "${runsDir}" begins with it`,
    {
      hint: near.length > 0 ? `Did you mean ${list(near)}` : `The latest: ${list(runs)}`,
    },
  );
}

function list(runs: readonly RunEntry[]): string {
  const ids = runs.slice(0, SHOWN).map(({ id }) => id).join(", ");
  return runs.length > SHOWN ? `${ids}, … (\`temper runs\` lists them all)` : ids;
}
