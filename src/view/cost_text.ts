import { bytes, duration, figure, magnitude, share } from "../lib/text/format.ts";
import { changeText, type Scores } from "./scores.ts";
import type { ComparedCell, Cost } from "./comparison.ts";

/** How each cost is called and written, in the order of the tables. */
export const COST_TEXT: { readonly [C in keyof Cost]: CostText } = {
  trainable: { title: "trainable", what: "trainable parameters", write: magnitude },
  memory: { title: "memory", what: "peak memory", write: bytes },
  train: { title: "train", what: "training time", write: (seconds) => duration(seconds * 1000) },
  total: {
    title: "total",
    what: "total time, from loading the base to the last file, scoring the base counted in each",
    write: (s) => duration(s * 1000),
  },
  speed: { title: "tok/s", what: "tokens per second while training", write: figure },
  weights: { title: "weights", what: "size of the trained weights", write: bytes },
  gguf: { title: "gguf", what: "size of the complete model", write: bytes },
};

export interface CostText {
  readonly title: string;
  readonly what: string;
  write(value: number): string;
}

/** In the place of what was not measured. */
export const NOTHING = "–";

export function written(value: number | undefined, write: (value: number) => string): string {
  return value === undefined ? NOTHING : write(value);
}

/** Loss and perplexity of the held-out rows, before and after training. */
export function lossTexts({ loss, perplexity }: Scores): { loss: string; perplexity: string } {
  return {
    loss: changeText(loss, figure) ?? NOTHING,
    perplexity: changeText(perplexity, figure) ?? NOTHING,
  };
}

export function anyLoss(cells: readonly Pick<ComparedCell, "scores">[]): boolean {
  return cells.some(({ scores: { loss } }) => (loss.after ?? loss.before) !== undefined);
}

/** Whether any of them has a perplexity, which only trainings on this machine measure. */
export function anyPerplexity(cells: readonly Pick<ComparedCell, "scores">[]): boolean {
  return cells.some(({ scores: { perplexity } }) => (perplexity.after ?? perplexity.before) !== undefined);
}

/** What was saved where cells took the scores of their base from another run; `undefined` where none did. */
export function savedText(cells: readonly Pick<ComparedCell, "baseline">[]): string | undefined {
  const taken = cells.flatMap(({ baseline }) => baseline ?? []);
  if (taken.length === 0) return undefined;
  const seconds = taken.reduce((sum, { seconds }) => sum + seconds, 0);
  const which = `${taken.length} of ${cells.length}`;
  return `The base was scored once: ${which} took its scores from another run, ${
    duration(seconds * 1000)
  } saved`;
}

/** Before and after training: the score where one was asked for, otherwise the loss. */
export function quality({ metric, before, after, loss }: Scores): { before: string; after: string } {
  return hasScore(metric)
    ? { before: written(before, share), after: written(after, share) }
    : { before: written(loss.before, figure), after: written(loss.after, figure) };
}

/** With metric none there is a loss, and no score. */
export function hasScore(metric: string | undefined): metric is string {
  return metric !== undefined && metric !== "none";
}

/** Whether any of them has a score; otherwise the loss is what there is. */
export function anyScored(cells: readonly Pick<ComparedCell, "scores">[]): boolean {
  return cells.some(({ scores }) => hasScore(scores.metric));
}

/** Why a cell has no figures; undefined for one that is done. */
export function whyNot({ state, error }: ComparedCell): string | undefined {
  switch (state) {
    case "done":
      return undefined;
    case "pending":
      return error === undefined ? "not started" : "could not be started";
    default:
      return state;
  }
}
