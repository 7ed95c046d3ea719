import { join } from "../../deps/path.ts";
import { z } from "../../deps/zod.ts";
import type { Fs } from "../../lib/files/fs.ts";

/** Folder in the job folder that belongs to this engine. */
export const FOLDER = "slurm";
export const STATE_FILE = join(FOLDER, "jobs.jsonl");

const Line = z.object({
  job: z.string(),
  at: z.enum(["started", "requeued", "ended"]),
  /** How often Slurm had started the job before. */
  restart: z.int(),
  nodes: z.string(),
  /** Of the trainer. */
  code: z.int().optional(),
  /** Rank of the worker that failed first. */
  worker: z.int().optional(),
  /** Whether the trainer left a result.json. */
  result: z.boolean().optional(),
  /** Why the job ends without a result although nothing failed. */
  why: z.enum(["no-progress", "not-requeued"]).optional(),
});
/** What a job's script wrote down about it: Slurm itself forgets a job minutes after its end. */
export type JobLine = z.infer<typeof Line>;

/** The latest line of each job, oldest job first. A torn line does not count. */
export async function readJobLines(dir: string, fs: Fs): Promise<readonly JobLine[]> {
  const path = join(dir, STATE_FILE);
  if (!await fs.stat(path)) return [];
  const latest = new Map<string, JobLine>();
  for (const text of (await fs.readText(path)).split("\n")) {
    const line = parse(text);
    if (line) latest.set(line.job, line);
  }
  return [...latest.values()];
}

function parse(text: string): JobLine | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
