import type { JsonObject } from "../../lib/json/json.ts";
import { count } from "../../lib/text/format.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env } from "../provider.ts";
import type { LongRow, RowLengths } from "../row_lengths.ts";
import { inspectBase } from "./base/describe.ts";
import { CHARS_PER_TOKEN } from "./estimate/training_costs.ts";
import { trainingSpec } from "./job/job.ts";

/**
 * The trainer alone has the base's tokenizer. No tokenizer that bases come with makes one token of two words, so the
 * words are the least that a row can have; what its characters make likely is said as such.
 */
export async function trainingLengths(loaded: LoadedSpec, env: Env): Promise<RowLengths> {
  const { method, train: { max_length: wanted } } = trainingSpec(loaded.spec);
  const { context } = await inspectBase(loaded, env);
  const room = (context ?? Infinity) - (method.kind === "prefix" ? method.length : 0);
  const limit = Math.min(wanted, room);
  return {
    limit: `${count(limit)} tokens (${limit === wanted ? "train.max_length" : "the base's context"})`,
    otherwise: "their ends are cut off",
    judge: (line) => judge(line, limit),
  };
}

function judge(line: string, limit: number): LongRow | undefined {
  // A word takes a character and the space before it.
  if (line.length <= 2 * limit) return undefined;
  const texts = textsOf(JSON.parse(line));
  const words = sum(texts.map(wordsOf));
  if (words > limit) return { found: `has at least ${count(words)} tokens, one for each word`, isSure: true };
  const likely = Math.round(sum(texts.map((text) => text.length)) / CHARS_PER_TOKEN);
  return likely > limit ? { found: `has about ${count(likely)} tokens`, isSure: false } : undefined;
}

/** Without reasoning, which chat templates leave out of earlier turns. */
function textsOf({ messages }: { readonly messages: readonly JsonObject[] }): string[] {
  return messages.flatMap(({ content }) => typeof content === "string" ? [content] : []);
}

function wordsOf(text: string): number {
  let words = 0;
  for (const _ of text.matchAll(/\S+/g)) words++;
  return words;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
