import { METRIC_DESCRIPTIONS, METRIC_NAMES } from "../rules/metrics.ts";
import { ROW_FORMATS } from "../rules/row_formats.ts";
import { z } from "../../deps/zod.ts";
import { engine } from "./schema_engine.ts";
import { method } from "./schema_method.ts";
import { provider } from "./schema_provider.ts";

/** How a problem in the data is treated: stop, warn and continue, or do not check. */
const severity = z.enum(["error", "warn", "off"]);

const path = z.string().min(1);

/** `{{ name }}` is replaced by a row's field. */
const columns = z.strictObject({
  system: z.string().optional().meta({ description: "System prompt of every row. Omitted: no system turn" }),
  user: z.string().min(1).meta({
    description:
      "The input; {{ name }} is replaced by the row's field of that name. {{ name | optional }}: nothing when the field is missing, null or empty, and the white space before it is removed too. {{ name | json }}: the value as JSON text, for lists and objects",
  }),
  assistant: z.string().min(1).meta({
    description: "The answer to train; {{ name }} is replaced by the row's field, as in user",
  }),
}).meta({ description: "For format: columns. How a row becomes a conversation" });

const format = z.enum(ROW_FORMATS);

const roles = z.record(z.string().min(1), z.enum(["system", "user", "assistant", "tool"])).meta({
  description:
    "Maps speaker names in the rows to roles, such as {customer: user, agent: assistant}. Names that are not listed keep their meaning",
});

const sourceEntry = z.strictObject({
  path: path.meta({ description: "A file or a glob, relative to this file: .jsonl, .json, .csv, .tsv" }),
  format: format.optional().meta({
    description: "How the rows of these files become conversations. Default: dataset.format",
  }),
  columns: columns.optional().meta({
    description:
      "For format: columns. How a row of these files becomes a conversation. Default: dataset.columns",
  }),
  roles: roles.optional().meta({
    description: "The role of each speaker name in these files. Default: dataset.roles",
  }),
  delimiter: z.string().min(1).max(1).optional().meta({
    description: 'For .csv and .tsv: the character between cells. Default: "," in .csv, a tab in .tsv',
  }),
  quote: z.union([z.literal("none"), z.string().min(1).max(1)]).optional().meta({
    description:
      'For .csv and .tsv: the character around cells that contain delimiters or line breaks, doubled inside them; none: quotes are text. Default: " in .csv, none in .tsv',
  }),
  encoding: z.string().min(1).optional().meta({
    description:
      "Encoding of the files: utf-8, utf-16, windows-1252 or another name from the Encoding Standard. Default: utf-8, which is validated",
  }),
}).meta({ description: "Files, and how they are read" });

const sources = z.union([path, sourceEntry, z.array(z.union([path, sourceEntry])).min(1)]).meta({
  description:
    "A file, a glob, {path, format, …}, or a list of them, relative to this file: .jsonl, .json (array), .csv, .tsv",
});

const sql = z.strictObject({
  sql: z.string().min(1).meta({
    description: "Not supported yet, and refused: the query whose rows are the dataset",
  }),
  from: z.union([path, z.array(path).min(1)]).meta({
    description: "Not supported yet, and refused: the files that the query reads",
  }),
}).meta({ description: "Not supported yet, and refused: rows of an SQL query over files" });

const split = z.strictObject({
  eval: z.number().positive().meta({
    description: "Rows held out for evaluation: a number of rows (1 or more) or a fraction (below 1)",
  }),
  seed: z.int().min(0).max(2147483647).default(7).meta({
    description:
      "Selects the rows that are held out, by a hash of each row: rows keep their side when others are added",
  }),
  by: z.string().min(1).optional().meta({
    description:
      "Name of a field: rows with the same value stay on the same side, so that nothing in the evaluation was partly seen in training",
  }),
});

const checks = z.strictObject({
  rows: z.enum(["error", "warn"]).default("error").meta({
    description:
      "Rows that cannot be read as a conversation: missing fields, wrong types, unknown roles. warn leaves them out and counts them",
  }),
  order: severity.default("error").meta({
    description:
      "Turns out of order: a late system turn, two user turns in a row, a conversation that does not end with the assistant",
  }),
  empty: severity.default("error").meta({
    description: "Turns without text: they teach the model to say nothing",
  }),
  placeholders: severity.default("warn").meta({
    description:
      'Turns that are only "nan", "null", "None" or the like: usually a missing value of the tool that wrote the file',
  }),
  markup: severity.default("error").meta({
    description:
      "Control markup of chat templates inside texts (<|im_start|>, </s> at the end, prompts that are already rendered): it would end or forge turns. Single marks that may be quotations, such as one [INST], are only counted",
  }),
  duplicates: severity.default("warn").meta({
    description: "The same conversation twice in the training data: it counts double",
  }),
  leakage: severity.default("error").meta({
    description:
      "The same input in training and evaluation (ignoring white space and case): the score would measure memorisation",
  }),
  too_long: z.enum(["error", "warn", "drop", "off"]).default("error").meta({
    description:
      "Rows longer than train.max_length. drop leaves them out of training and evaluation, and says how many; warn truncates them with a warning; off truncates and only counts them",
  }),
}).prefault({});

const dataset = z.strictObject({
  source: z.union([path, sourceEntry, z.array(z.union([path, sourceEntry])).min(1), sql]).meta({
    description:
      "The training rows: a file, a glob, {path, format, …}, or a list of them, relative to this file (.jsonl, .json, .csv, .tsv)",
  }),
  format: format.default("auto").meta({
    description:
      "How rows become conversations. auto decides by the first rows of each file and reports what it found and why",
  }),
  columns: columns.optional(),
  roles: roles.optional(),
  eval: sources.optional().meta({
    description:
      "Rows held out for evaluation, from separate files. Alternative: dataset.split. Without either, nothing is evaluated",
  }),
  split: split.optional().meta({
    description: "Hold out a part of dataset.source. Alternative: dataset.eval",
  }),
  checks: checks.meta({ description: "What is checked in the rows, and whether a problem stops the run" }),
});

const train = z.strictObject({
  epochs: z.number().positive().max(1000).optional().meta({
    description: "Passes over the data. Default: 1, and 2 for prefix, whose few parameters learn slowly",
  }),
  learning_rate: z.number().positive().max(10).optional().meta({
    description:
      "Peak learning rate. Default by method and size of the base: `plan` shows the value and its reason",
  }),
  batch_size: z.int().min(1).max(4096).default(4).meta({
    description:
      "Rows per optimiser step. Memory does not depend on it: rows are processed in micro-batches of at most micro_tokens tokens",
  }),
  micro_tokens: z.int().min(16).max(1_048_576).default(2048).meta({
    description:
      "Maximum number of tokens computed at once. Lower it if memory runs out; the result is the same up to rounding",
  }),
  max_length: z.int().min(8).max(1_048_576).default(1024).meta({
    description: "Maximum length of a row in tokens, chat template included. See dataset.checks.too_long",
  }),
  max_steps: z.int().min(1).optional().meta({
    description: "Stop after this many optimiser steps, regardless of epochs",
  }),
  warmup_ratio: z.number().min(0).max(1).default(0.1).meta({
    description:
      "Share of the steps during which the learning rate rises: Adam's first steps are the noisiest",
  }),
  schedule: z.enum(["cosine", "linear", "constant"]).default("cosine").meta({
    description: "How the learning rate changes after the warm-up: cosine and linear fall to zero",
  }),
  weight_decay: z.number().min(0).max(1).default(0).meta({
    description: "AdamW weight decay. 0, because short fine-tunings rarely overfit through large weights",
  }),
  max_grad_norm: z.number().positive().max(1e6).default(1).meta({
    description: "Gradients are clipped to this norm, so that one unusual batch does not undo the rest",
  }),
  seed: z.int().min(0).max(2147483647).default(1).meta({
    description:
      "Order of rows, dropout and initial weights. The same seed on the same machine gives the same weights",
  }),
  checkpoint_seconds: z.number().min(1).max(86_400).default(60).meta({
    description:
      "Seconds between checkpoints, and so the most work that a kill costs. If saving is slow they are further apart, so that saving takes at most 5% of the time, and the log contains a warning. Two are kept",
  }),
  device: z.enum(["auto", "cpu", "cuda", "mps"]).default("auto").meta({
    description: "auto uses CUDA if available, then an Apple GPU (mps), otherwise the CPU",
  }),
  dtype: z.enum(["auto", "fp32", "bf16", "fp16"]).default("auto").meta({
    description:
      "Type of frozen weights and of what is computed; trained weights stay in fp32. auto: bf16 where the device computes it fast (CUDA 8.0 or newer, Apple GPUs, CPUs with AMX, AVX512_BF16 or Arm BF16), fp16 on older CUDA devices, otherwise fp32. fp16 scales the loss",
  }),
  compile: z.union([z.literal("auto"), z.boolean()]).default("auto").meta({
    description:
      "Compile the element-wise parts of decoder layers on CUDA (torch.compile). auto: in trainings long enough to win back the half minute it takes",
  }),
  checkpointing: z.union([z.literal("auto"), z.boolean()]).default("auto").meta({
    description:
      "Keep only the input of each decoder layer and compute the layer again on the way back: far less memory, up to a third more time, the same result. auto: only where training would not fit otherwise",
  }),
  parallel: z.enum(["auto", "ddp", "fsdp"]).default("auto").meta({
    description:
      "How several workers (see engine) hold the model. ddp: each all of it; fsdp: each a part of every layer, for models that do not fit one device. auto: ddp where the model fits. The result is the same up to rounding",
  }),
  optimizer: z.enum(["adamw", "adamw_8bit"]).default("adamw").meta({
    description:
      "adamw_8bit keeps AdamW's two moments in 8 bits, except those of embeddings: 10 bytes of memory per weight instead of 16. Only for method full, with one worker",
  }),
  deterministic: z.boolean().default(true).meta({
    description:
      "Use only operations that give the same bits each time. false allows faster ones; trainer/bench/gpu.py measures what that gains",
  }),
}).prefault({});

const fewShot = z.strictObject({
  instructions: z.string().min(1).meta({
    description: "System prompt that explains the task to the base model",
  }),
  examples: z.int().min(0).max(64).default(3).meta({
    description: "Training rows shown in the prompt, chosen by train.seed",
  }),
}).meta({
  description:
    "A second score of the base, with instructions and examples in the prompt: what prompting alone achieves",
});

const evaluate = z.strictObject({
  metric: z.enum(METRIC_NAMES).default("exact_match").meta({
    description: `What counts as right. ${METRIC_DESCRIPTIONS}`,
  }),
  reasoning: z.enum(["exclude", "include"]).default("exclude").meta({
    description:
      "Whether the reasoning before an answer is judged too. exclude: only the answer counts, because different reasoning can lead to it",
  }),
  pattern: z.string().min(1).optional().meta({
    description: "For metric: regex. {{ expected }} is replaced by the expected answer, escaped",
  }),
  before: z.boolean().default(true).meta({ description: "Score the base too, to measure the gain" }),
  few_shot: fewShot.optional(),
  max_new_tokens: z.int().min(1).max(32_768).default(128).meta({ description: "Longest answer, in tokens" }),
}).prefault({});

const PROVIDER = "Where training runs, and what happens to the result";

/** One pipeline file. The only owner of field names: errors, JSON Schema, help and docs are derived from it. */
export const Spec = z.strictObject({
  version: z.literal(1).meta({ description: "Version of this file format" }),
  name: z.string().regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    "must be lower-case letters, digits, '.', '_' or '-', at most 63",
  ).meta({
    description: "Name of the pipeline: part of every run's id",
  }),
  dataset: dataset.meta({ description: "The data to train and evaluate on" }),
  method: method.meta({ description: "How to fine-tune" }),
  train: train.meta({ description: "Duration, learning rate, batch size and other training settings" }),
  evaluate: evaluate.meta({ description: "How the result is measured" }),
  provider: provider.meta({ description: PROVIDER }),
  engine: engine.meta({ description: "Which machines train, for providers that train here. Default: local" }),
  matrix: z.record(z.string().min(1), z.array(z.json()).min(1)).optional().meta({
    description:
      "Lists of values by dotted path, such as train.seed: [1, 2]. `compare` runs each combination and compares them in one table. Values replace the file's. Paths joined by commas change together: their entries are lists with one value per path",
  }),
});

/** A validated pipeline file with its defaults filled in. */
export type Spec = z.infer<typeof Spec>;

/** Sections of providers that are not temper's own, by kind: the fields beside `kind`. */
export type OwnSections = Readonly<Record<string, z.ZodObject>>;

/**
 * The schema of pipelines whose provider may also be one of `own`. What it parses is called a Spec like any other:
 * nobody outside a provider looks at the fields of its section.
 */
export function specWith(own: OwnSections = {}): typeof Spec {
  const kinds = Object.keys(own);
  if (kinds.length === 0) return Spec;
  // Extended, not rebuilt from its fields: the checks of the section as a whole belong to it too.
  const sections = kinds.map((kind) => own[kind]!.safeExtend({ kind: z.literal(kind) }).strict());
  const extended = z.discriminatedUnion("kind", [...provider.options, ...sections]);
  return Spec.extend({ provider: extended.meta({ description: PROVIDER }) }) as unknown as typeof Spec;
}
/** The options of a source in a pipeline file, besides its path. */
export type SourceOptions = Omit<z.infer<typeof sourceEntry>, "path">;
export type Checks = Spec["dataset"]["checks"];
export type Severity = z.infer<typeof severity>;
