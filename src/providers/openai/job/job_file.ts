import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import type { Json } from "../../../lib/json/json.ts";
import type { FileTokens } from "../upload/tokens.ts";

const jsonObject = z.record(z.string(), z.json()) as z.ZodType<{ readonly [key: string]: Json }>;
const file = z.object({ name: z.string(), bytes: z.int(), sha256: z.string(), rows: z.int() }).readonly();
/** A file for the service, named by the digest of its content. */
export type TrainingFile = z.infer<typeof file>;

const range = z.object({ least: z.number(), most: z.number() }).readonly();
const tokens = z.object({ train: range, eval: range, evalPrompt: z.number(), evalAnswer: z.number() })
  .readonly();
export type TokenTotals = z.infer<typeof tokens>;

/** Of the training file and of the one that is held out, if there is one. */
export function tokenTotals(train: FileTokens, held: FileTokens | undefined): TokenTotals {
  const range = ({ least, most }: FileTokens) => ({ least, most });
  return {
    train: range(train),
    eval: held ? range(held) : { least: 0, most: 0 },
    evalPrompt: held?.prompt ?? 0,
    evalAnswer: held?.answer ?? 0,
  };
}

/** job.json: everything about the job except the ids of its files. */
const jobFile = z.object({
  version: z.literal(1),
  goal: z.enum(["supervised", "dpo"]),
  /** Body of the call that creates the job, without files and metadata. */
  create: jsonObject,
  epochs: z.number(),
  training: file,
  validation: file.nullable(),
  tokens,
}).readonly();
export type JobFile = z.infer<typeof jobFile>;

export const JOB_FILE = "job.json";

export async function readJobFile(configured: string, fs: Fs): Promise<JobFile> {
  return jobFile.parse(JSON.parse(await fs.readText(join(configured, JOB_FILE))));
}
