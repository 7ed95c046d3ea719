// deno-lint-ignore-file camelcase -- names of the log and of `show --json`
import { join } from "node:path";
import { z } from "zod";
import { TemperError } from "../../lib/errors.ts";
import { readLines } from "../../lib/lines.ts";
import type { Spec } from "../../spec/schema.ts";
import type { JobResult } from "../provider.ts";
import { EVAL_FILE } from "../training/examples.ts";
import { jobDir } from "../training/job_folder.ts";
import { judgeAnswers, type JudgeWork } from "../training/judge.ts";
import type { Message } from "../training/templates.ts";
import type { OllamaClient } from "./client.ts";

/** How a served model compares with what the trainer had in memory. */
export type Proof = {
  /** Share of right answers, by the pipeline's metric; null where it has none. */
  readonly metric: number | null;
  /** Share of rows whose answer is the trainer's own, letter by letter; null where there is no metric. */
  readonly agreement: number | null;
  readonly rows: number;
  /**
   * Rows whose prompt is the one of the training: the same number of tokens and, where the server shows it, the same
   * text. The tokenizer is the base's own, so that equal text is equal tokens.
   */
  readonly prompts_equal: number;
  readonly prompts_by: "text and token count" | "token count";
};

interface Row {
  readonly messages: readonly Message[];
  /** What the trainer's model answered. */
  readonly after: string | null;
  /** The text that the trainer gave its model. */
  readonly prompt: string;
  readonly promptTokens: number;
}

interface Served {
  readonly answer: string;
  readonly promptTokens: number | undefined;
  readonly promptText: string | undefined;
}

export interface ProveOptions {
  readonly model: string;
  readonly evaluate: Spec["evaluate"];
  readonly result: JobResult;
  readonly trainerDir: string;
}

/** In the folder of the work: every served answer beside the trainer's. */
const SERVED_FILE = "served.jsonl";

/** Asks the served model every eval row; `undefined` where there is none. */
export async function prove(
  client: OllamaClient,
  work: JudgeWork,
  { model, evaluate, result, trainerDir }: ProveOptions,
): Promise<Proof | undefined> {
  const { runDir, fs } = work;
  const predictions = result.artifacts.find(({ kind }) => kind === "predictions");
  if (!predictions) return undefined;
  const dir = jobDir(runDir);
  const rows = await readRows(join(dir, EVAL_FILE), join(runDir, predictions.path), work);
  const answering = evaluate.metric !== "none";
  const served: Served[] = [];
  for (const { messages } of rows) {
    const options = { temperature: 0, num_predict: answering ? evaluate.max_new_tokens : 1 };
    const request = { model, messages, options };
    // Answers first: a server that cannot compute cannot show a prompt either.
    const answer = await client.chat(request);
    const shown = await client.chat({ ...request, renderOnly: true });
    served.push({
      answer: answer.message.content,
      promptTokens: answer.prompt_eval_count,
      promptText: shown._debug_info?.rendered_template,
    });
    work.progress({
      phase: "asking the served model",
      done: served.length,
      total: rows.length,
      unit: "rows",
    });
  }
  const verdict = answering ? await judgeAnswers(work, served.map(({ answer }) => answer), trainerDir) : null;
  const equal = rows.map((row, i) => samePrompt(row, served[i]!));
  const agreeing = rows.map(({ after }, i) => after === served[i]!.answer);
  await fs.writeAtomic(
    join(work.out, SERVED_FILE),
    rows.map(({ after }, i) => {
      const { answer, promptTokens } = served[i]!;
      const line = { row: i, trainer: after, served: answer, served_ok: verdict?.right[i] ?? null };
      return JSON.stringify({ ...line, prompt_tokens: promptTokens ?? null, prompt_equal: equal[i] }) + "\n";
    }).join(""),
  );
  return {
    metric: verdict?.score ?? null,
    agreement: answering ? shareOf(agreeing) : null,
    rows: rows.length,
    prompts_equal: equal.filter((same) => same).length,
    prompts_by: served.every(({ promptText }) => promptText !== undefined)
      ? "text and token count"
      : "token count",
  };
}

function samePrompt(row: Row, { promptText, promptTokens }: Served): boolean {
  return promptTokens === row.promptTokens && (promptText === undefined || promptText === row.prompt);
}

function shareOf(flags: readonly boolean[]): number {
  return flags.filter((flag) => flag).length / flags.length;
}

const Example = z.object({
  messages: z.array(z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() })).min(1),
});
const Prediction = z.object({ after: z.string().nullable(), prompt: z.string(), prompt_tokens: z.int() });

async function readRows(examples: string, predictions: string, work: JudgeWork): Promise<Row[]> {
  const conversations = await jsonLines(examples, Example, work);
  const answers = await jsonLines(predictions, Prediction, work);
  if (conversations.length !== answers.length) {
    throw new TemperError(
      "bad-predictions",
      `Cannot compare the served answers: ${predictions} has ${answers.length} rows, the eval file ${conversations.length}`,
    );
  }
  return conversations.map(({ messages }, i) => {
    const { after, prompt, prompt_tokens: promptTokens } = answers[i]!;
    return { messages: messages.slice(0, -1), after, prompt, promptTokens };
  });
}

async function jsonLines<T>(path: string, schema: z.ZodType<T>, { fs }: JudgeWork): Promise<T[]> {
  const found: T[] = [];
  for await (const { lines } of readLines(fs.readStream(path))) {
    for (const line of lines) if (line !== "") found.push(schema.parse(JSON.parse(line)));
  }
  return found;
}
