import { z } from "../../src/deps/zod.ts";
import { CHANGES } from "../../src/log/predictions.ts";

/** The rows one can ask for: by what training made of them, by the answer after it, by what the served model says. */
export const ANSWER_FILTERS = [...CHANGES, "right", "wrong", "served_differently"] as const;
export type AnswerFilter = (typeof ANSWER_FILTERS)[number];

export const answerFilter = z.enum(ANSWER_FILTERS).optional().describe(
  "Only these rows: by what training made of them, by the answer after it, or by what the served model answers",
);
export const answerText = z.string().max(200).optional().describe(
  "Text that the question, the prompt or an answer contains, ignoring case",
);

export interface AnswerQuery {
  readonly change: AnswerFilter | undefined;
  readonly text: string | undefined;
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
}

const PER_PAGE = 50;

/** What the address of a run's page says. What is wrong in it counts as absent. */
export function answerQuery(words: (name: string) => string | undefined): AnswerQuery {
  const page = Number(words("rows") ?? 1);
  const text = answerText.safeParse(words("q"));
  return {
    change: answerFilter.safeParse(words("change")).data,
    text: text.data === "" ? undefined : text.data,
    page: Number.isSafeInteger(page) && page >= 1 ? page : 1,
    perPage: PER_PAGE,
  };
}

/** The address of a run's page with these answers. */
export function answersPath(id: string, query: Partial<AnswerQuery>): string {
  const words = wordsOf(query);
  if (query.page !== undefined && query.page > 1) words.set("rows", String(query.page));
  return `/runs/${encodeURIComponent(id)}${words.size === 0 ? "" : `?${words}`}#answers`;
}

/** The address of a file with all of these answers. */
export function answersFile(id: string, format: "csv" | "jsonl", query: Partial<AnswerQuery>): string {
  const words = wordsOf(query);
  return `/runs/${encodeURIComponent(id)}/answers.${format}${words.size === 0 ? "" : `?${words}`}`;
}

function wordsOf({ change, text }: Partial<AnswerQuery>): URLSearchParams {
  const words = new URLSearchParams();
  if (change !== undefined) words.set("change", change);
  if (text !== undefined) words.set("q", text);
  return words;
}
