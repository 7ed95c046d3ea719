import { z } from "../deps/zod.ts";

const count = z.int().min(0);

const lengths = z.object({
  shortest: count,
  median: count,
  p90: count,
  p99: count,
  longest: count,
  histogram: z.array(z.object({ upTo: z.number(), count })).readonly(),
});

const set = z.object({
  format: z.string(),
  why: z.string(),
  rows: count,
  chars: count,
  lengths,
  turns: z.record(z.string(), count).optional().describe("By role"),
});

const finding = z.object({ origin: z.string(), field: z.string(), problem: z.string(), excerpt: z.string() });

/** report.json of the format step: what became of the rows. Of each version what a page shows. */
export const dataReport = z.object({
  version: z.literal(1),
  train: set,
  eval: set.nullable(),
  split: z.object({
    held: count,
    share: z.number(),
    seed: z.number(),
    wanted: z.number().optional(),
    by: z.string().nullish(),
  }).nullable(),
  sources: z.array(z.object({
    path: z.string(),
    set: z.string(),
    rows: count,
    used: count,
    unused: count,
    bytes: count,
    sha256: z.string(),
    format: z.string().optional(),
    why: z.string().optional(),
  })).readonly(),
  checks: z.record(
    z.string(),
    z.object({ severity: z.string(), count, findings: z.array(finding).readonly() }),
  ),
  unused: z.array(z.object({ field: z.string(), count, rows: count, why: z.string().optional() })).readonly()
    .optional().describe("Fields of the used rows that no example contains"),
  moreUnused: z.object({ fields: count, count }).optional().describe("Further such fields"),
  ignored: z.record(z.string(), count).optional().describe(
    "Written by earlier versions: rows by field",
  ),
});
export type DataReport = z.infer<typeof dataReport>;
export type SetReport = z.infer<typeof set>;
