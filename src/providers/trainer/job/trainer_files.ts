import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { RESULT_FILE } from "../../../engines/job_files.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { findJson, readJson } from "../../../lib/json/json_file.ts";

/** The files the trainer writes, version 1, as far as they are read here (see trainer/README.md). */
const counts = z.object({
  rows: z.int(),
  tokens: z.int(),
  supervised: z.int(),
  masked: z.int(),
  truncated: z.int(),
  /** Left out as too long; earlier versions cut or refused. */
  dropped: z.int().default(0),
  /** Conversations, and how many of them became several rows. */
  conversations: z.int().optional(),
  split: z.int().default(0),
  longest: z.int(),
});

const jinja = z.object({
  kind: z.literal("jinja"),
  /** Where it comes from. */
  name: z.enum(["base", "file"]),
  /** End tokens. The first one is trained. */
  stop: z.array(z.string()),
  /** The linear template that writes the same text for every row; null where none does. */
  linear: z.string().nullable(),
});
/** Older trainers know no other kind, and do not name it. */
const linear = z.object({ kind: z.literal("linear").default("linear"), name: z.string() });

/** Where the base's own chat template first gives another text. */
const templateDifference = z.object({ row: z.string(), base: z.string(), trained: z.string() });

const Tokens = z.object({
  version: z.literal(1),
  template: z.union([jinja, linear]),
  opening: z.string(),
  template_matches_base: z.boolean().nullable(),
  template_difference: templateDifference.nullable().default(null),
  /** What the chat template leaves out of prompts, by role. */
  left_out: z.record(z.string(), z.object({ rows: z.int(), first: z.string() })).default({}),
  /** The day that a template which asks for the date is told. */
  date: z.string().nullable().default(null),
  base: z.object({
    key: z.string(),
    arch: z.string(),
    layers: z.int(),
    hidden: z.int(),
    /** Null where an architecture has no such figure. */
    feed_forward: z.int().nullable(),
    heads: z.int().nullable(),
    kv_heads: z.int().nullable(),
    head_dim: z.int().nullish(),
    vocab: z.int(),
    context: z.int(),
    tied: z.boolean(),
    parameters: z.int(),
    bos: z.int().nullable(),
  }),
  train: counts,
  eval: counts.nullable(),
  end_token: z.object({ text: z.string(), trained_rows: z.int() }),
  long_rows: z.array(z.object({ origin: z.string(), tokens: z.int() })),
});
export type Tokens = z.infer<typeof Tokens>;

const Failure = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable().optional(),
  rows: z.array(z.string()).default([]),
  exit_code: z.int().optional(),
});
export type Failure = z.infer<typeof Failure>;

const score = z.object({
  score: z.number().nullable().optional(),
  loss: z.number().nullable().optional(),
  perplexity: z.number().nullable().optional(),
  rows: z.int(),
});

/** How far below the best answer the tokens of a prefix stay, so that none is ever sampled. */
const softTokens = z.object({
  tokens: z.int(),
  positions: z.int(),
  margin: z.number(),
  held_out_positions: z.int(),
  held_out_margin: z.number().nullable(),
});

const Done = z.object({
  version: z.literal(1),
  state: z.literal("done"),
  metric: z.string(),
  before: score.nullable(),
  few_shot: score.nullable(),
  after: score.nullable(),
  /** `bytes`: of the file with what was trained; earlier versions do not say. */
  parameters: z.object({ trainable: z.int(), total: z.int(), bytes: z.int().optional() }),
  steps: z.int(),
  /** In fp16: steps that changed no weight, because their gradient did not fit. */
  skipped_steps: z.int().optional(),
  tokens: z.object({ trained: z.int(), supervised: z.int() }),
  weights_sha256: z.string(),
  artifacts: z.array(z.object({ kind: z.string(), path: z.string(), bytes: z.int(), sha256: z.string() })),
  changes: z.record(z.string(), z.int()).nullable(),
  soft_tokens: softTokens.optional(),
  /** How the exported files were compared with the base and the trained model. */
  export_check: z.record(z.string(), z.json()).optional(),
  /** `why`: the reason of the type; earlier versions do not say. */
  environment: z.object({ device: z.string(), dtype: z.string(), why: z.string().optional() }).loose(),
  timing: z.record(z.string(), z.number()),
  resources: z.object({
    peak_rss: z.number(),
    /** Bytes that a GPU has. */
    device_memory: z.number().optional(),
    /** Operations that training needed, and those a second that a product reaches here; `mfu`: the share of these. */
    flops: z.number().positive().optional(),
    peak_flops: z.number().positive().optional(),
    mfu: z.number().optional(),
    /** Whether layers were computed again on the way back. */
    checkpointing: z.boolean().optional(),
    /** Scores of the base that an earlier training computed: its job folder, and the seconds it took. */
    baseline: z.record(z.string(), z.object({ job: z.string(), seconds: z.number() })).optional(),
  }).loose(),
});
export type Done = z.infer<typeof Done>;

const Failed = z.object({ version: z.literal(1), state: z.literal("failed"), error: Failure });
const Result = z.discriminatedUnion("state", [Done, Failed]);
export type Result = z.infer<typeof Result>;

const Event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("phase"), phase: z.string(), state: z.enum(["start", "done"]) }),
  z.object({
    type: z.literal("train"),
    step: z.int(),
    steps: z.int(),
    loss: z.number(),
    smoothed: z.number(),
    learning_rate: z.number(),
    tokens_per_second: z.number(),
    rss: z.number(),
  }),
  z.object({ type: z.literal("eval"), phase: z.string(), done: z.int(), total: z.int() }),
  z.object({ type: z.literal("checkpoint"), step: z.int() }),
  z.object({ type: z.literal("resumed"), step: z.int() }),
  z.object({ type: z.literal("warning"), message: z.string() }),
  z.object({ type: z.literal("baseline"), score: z.string(), job: z.string(), seconds: z.number() }),
]);
export type MetricsEvent = z.infer<typeof Event>;

const PrepareLine = z.object({
  phase: z.string(),
  done: z.number().nullable().optional(),
  total: z.number().nullable().optional(),
});

const OPTIONS = { code: "trainer-file" } as const;

export function readTokens(folder: string, fs: Fs): Promise<Tokens> {
  return readJson(join(folder, "tokens.json"), Tokens, fs, OPTIONS);
}

/** `undefined` until the trainer has ended by itself. */
export async function readResult(folder: string, fs: Fs): Promise<Result | undefined> {
  return await findJson(join(folder, RESULT_FILE), Result, fs, OPTIONS);
}

/** Why `prepare` failed, when it could say so. */
export async function readFailure(folder: string, fs: Fs): Promise<Failure | undefined> {
  return await findJson(join(folder, "error.json"), Failure, fs, OPTIONS);
}

/** One line of metrics.jsonl. `undefined` for what a newer trainer may add. */
export function metricsEvent(line: string): MetricsEvent | undefined {
  return parseLine(Event, line);
}

/** One line that `prepare` prints. `undefined` for anything else on its stdout. */
export function prepareLine(line: string): z.infer<typeof PrepareLine> | undefined {
  return parseLine(PrepareLine, line);
}

function parseLine<T>(schema: z.ZodType<T>, line: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
