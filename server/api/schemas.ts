import { z } from "../../src/deps/zod_openapi.ts";
import type { JsonObject } from "../../src/lib/json/json.ts";
import { CHART_NAMES, MOST_POINTS } from "../../src/view/charts.ts";
import { ANSWER_FILTERS } from "../answers/answer_query.ts";
import { predictionSchema, servedSchema } from "../../src/log/predictions.ts";
import { dataReport } from "../../src/pages/data_report.ts";
import { ACTIVITIES } from "../../src/view/activity.ts";
import { ROW_STATES } from "../query.ts";

const text = z.string().nullable();
const number = z.number().nullable();
/** Its members are whatever a step or a provider says: described as any object, typed as JSON. */
const jsonObject = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;
const runState = z.enum(["running", "interrupted", "done", "failed", "cancelled"]);
const activity = z.enum(ACTIVITIES).describe(
  "Finer than the state: waiting, stalled; without a command: unattended (training goes on), trained (not collected)",
);

export const errorSchema = z.object({
  error: z.object({
    code: z.string().describe("Stable name for scripts"),
    message: z.string().describe("What was tried and what was found"),
    hint: text.describe("What to do"),
  }),
}).openapi("Error");

export const rowSchema = z.object({
  id: z.string(),
  number: z.number().int().nullable().describe("Counts the runs of the folder"),
  name: z.string(),
  state: z.enum(ROW_STATES),
  activity: activity.nullable(),
  stalled: z.boolean().describe("It is alive, but has been silent for two minutes"),
  method: z.string(),
  provider: z.string(),
  pipeline: z.string().describe("Path of the pipeline file, which the combinations of a matrix share"),
  tags: z.array(z.string()).readonly(),
  note: text.describe("What somebody wrote about the run"),
  step: text.describe("The step it is in, or stopped in"),
  progress: text,
  share: z.number().min(0).max(1).describe(
    "How much of the run is done, its steps weighed by their expected time",
  ),
  ends: text.describe("ISO time at which it should be done, where that is known"),
  loss: number.describe("The newest training loss"),
  smoothed: z.boolean().describe("Whether `loss` is a mean over the steps so far"),
  loss_before: number.describe("Loss on held-out rows"),
  loss_after: number.describe("Loss on held-out rows after training"),
  perplexity_before: number.describe("Perplexity on held-out rows"),
  perplexity_after: number.describe("Perplexity on held-out rows after training"),
  metric: text,
  before: number,
  after: number,
  trainable: number.describe("Trainable parameters"),
  speed: number.describe("Tokens per second while training"),
  memory: number.describe("Peak memory in bytes"),
  started: text.describe("ISO time"),
  updated: text.describe("ISO time of the last event"),
  finished: text.describe("ISO time"),
  error: text,
}).openapi("RunRow");

const errorInfo = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).readonly();

export const runSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: runState,
  activity,
  steps: z.array(z.object({
    kind: z.string(),
    state: z.enum(["pending", "running", "retrying", "interrupted", "done", "failed", "cancelled"]),
    key: z.string(),
    cached: z.boolean(),
    from: text.describe("The run that made the output, when it was found in the cache"),
    attempt: z.number().int(),
    summary: jsonObject.nullable(),
    error: errorInfo.nullable(),
  })).readonly(),
  method: z.string(),
  provider: z.string(),
  metrics: jsonObject,
  leaked: z.object({ rows: z.number().int(), of: z.number().int() }).optional().describe(
    "Held-out rows whose input is also in the training data, with dataset.checks.leakage: warn",
  ),
  artifacts: z.array(z.object({
    kind: z.string(),
    path: z.string(),
    bytes: z.number().int(),
    sha256: z.string(),
  })).readonly(),
  started: z.string().optional(),
  finished: text,
  pipeline: z.string(),
  job: jsonObject.nullable(),
  error: errorInfo.nullable(),
  tags: z.array(z.string()).readonly(),
  note: text,
  live: z.object({
    driven: z.boolean().describe("A process drives the run"),
    training: z.boolean().describe("A local trainer is running, with or without a command that drives it"),
    trained: z.boolean().describe("The local trainer has left its result"),
    stalled: z.boolean(),
    heard: text.describe("ISO time of the last sign of life"),
  }),
  next: z.array(z.object({ why: z.string(), command: z.string() })).readonly().describe(
    "Suggested next commands",
  ),
  end: z.number().int().describe("Byte offset after the last event: where to resume following"),
}).openapi("Run", { description: "What `show RUN --json` prints, and the run's current state" });

const values = z.array(number).readonly();
const chart = z.object({
  steps: z.array(z.number()).max(MOST_POINTS).readonly(),
  x: z.object({ tokens: values.optional(), epoch: values.optional(), time: values.optional() }).readonly()
    .describe("What else the steps may be drawn against, where it is known; time in seconds since 1970"),
  series: z.record(z.string(), values).readonly(),
});
const allCharts = z.object(Object.fromEntries(CHART_NAMES.map((name) => [name, chart])));
export const chartsSchema = z.object({
  charts: allCharts,
  points: z.number().int().describe("Points before decimation"),
  end: z.number().int().describe("Byte offset after the last line read"),
  skipped: z.number().int().describe("Lines that could not be read"),
}).openapi("Charts", { description: "At most 2,000 points a chart; no peak is lost" });

export const predictionsSchema = z.object({
  rows: z.array(z.object({
    ...predictionSchema.unwrap().shape,
    row: z.number().int().describe("Number of the row, from 0"),
    served: z.object(servedSchema.unwrap().shape).optional().describe("What the served model answered"),
  })).readonly(),
  total: z.number().int(),
  counts: z.object(Object.fromEntries(["all", ...ANSWER_FILTERS].map((name) => [name, z.number().int()]))),
}).openapi("Predictions");

// A copy: schemas that were made before this library was loaded cannot be named.
export const reportSchema = z.object(dataReport.shape).openapi("DataReport");

export const filesSchema = z.object({ pipeline: text, modelfile: text }).openapi("Files");

export const logSchema = z.object({
  events: z.array(z.object({ seq: z.number().int(), t: z.string(), type: z.string(), text: z.string() }))
    .readonly(),
  trainer: z.array(z.string()).readonly().describe("What the local trainer printed"),
}).openapi("Log", { description: "The last 200 lines of each" });

export const healthSchema = z.object({ ok: z.literal(true), version: z.string() }).openapi("Health");

export const compareSchema = z.object({
  runs: z.array(rowSchema).readonly(),
  charts: z.record(z.string(), chart).describe("Loss by run"),
  metrics: z.record(z.string(), allCharts).describe(
    "All charts by run, with fewer points the more runs there are",
  ),
}).openapi("Comparison");
