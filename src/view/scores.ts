import { share } from "../lib/text/format.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";

export interface Change {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** What the loss of an evaluation is called, wherever it is shown: it is not that of the training. */
export const HELD_OUT_LOSS = "held-out loss";

/** The scores in the run's metrics; undefined where something was not measured. */
export interface Scores extends Change {
  readonly metric: string | undefined;
  readonly fewShot: number | undefined;
  /** On held-out rows. */
  readonly loss: Change;
  readonly perplexity: Change;
  /** Held-out rows. */
  readonly rows: number | undefined;
  readonly changes: ChangeCounts | undefined;
  readonly serving: Serving;
}

/** The served model's score compared with the trainer's, or why it was not measured. */
export interface Serving {
  readonly score: number | undefined;
  /** Rows that were asked, and of these: answered as the trainer does, prompted as in training. */
  readonly rows: number | undefined;
  readonly sameAnswers: number | undefined;
  readonly samePrompts: number | undefined;
  /** Why it is not served, or not measured. */
  readonly reason: string | undefined;
}

/** Eval rows by whether the base and the result answer them right. */
export interface ChangeCounts {
  readonly fixed: number;
  readonly stillWrong: number;
  readonly broken: number;
  readonly stillRight: number;
}

export function scoresOf(metrics: JsonObject): Scores {
  const metric = metrics.metric;
  return {
    metric: typeof metric === "string" ? metric : undefined,
    before: numberOf(metrics.before),
    fewShot: numberOf(metrics.few_shot),
    after: numberOf(metrics.after),
    loss: changeOf(metrics.loss),
    perplexity: changeOf(metrics.perplexity),
    rows: numberOf(metrics.eval_rows),
    changes: countsOf(metrics.changes),
    serving: servingOf(metrics),
  };
}

function servingOf({ served, registration }: JsonObject): Serving {
  const { metric, agreement, rows, prompts_equal: prompts } = objectOf(served);
  const { reason, unproven } = objectOf(registration);
  const asked = numberOf(rows);
  const share = numberOf(agreement);
  const why = typeof reason === "string"
    ? `no: ${reason}`
    : typeof unproven === "string"
    ? `not measured: ${unproven}`
    : undefined;
  return {
    score: numberOf(metric),
    rows: asked,
    sameAnswers: share === undefined || asked === undefined ? undefined : Math.round(share * asked),
    samePrompts: numberOf(prompts),
    reason: why,
  };
}

/** `0% → 93.3%`; one figure where only one was measured. */
export function scoreChange(scores: Scores): string {
  return changeText({ before: scores.before, after: scores.after }, share) ?? "";
}

/** Both ends of a change; one figure where only one was measured. */
export function changeText({ before, after }: Change, write: (n: number) => string): string | undefined {
  if (before === undefined) return after === undefined ? undefined : write(after);
  return after === undefined ? write(before) : `${write(before)} → ${write(after)}`;
}

export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}

function changeOf(value: Json | undefined): Change {
  const { before, after } = objectOf(value);
  return { before: numberOf(before), after: numberOf(after) };
}

function countsOf(value: Json | undefined): ChangeCounts | undefined {
  const { fixed, still_wrong: stillWrong, broken, still_right: stillRight } = objectOf(value);
  if (
    typeof fixed !== "number" || typeof stillWrong !== "number" || typeof broken !== "number" ||
    typeof stillRight !== "number"
  ) return undefined;
  return { fixed, stillWrong, broken, stillRight };
}
