// deno-lint-ignore-file camelcase -- names of the log and of `show --json`
import { join } from "node:path";
import type { Spec } from "../../spec/schema/schema.ts";
import type { JobResult } from "../provider.ts";
import { judgeAnswers, type JudgeWork } from "../trainer/serving/judge.ts";
import { asText, formOf, sameAnswer, type ServedAnswer, servedCall } from "./answer.ts";
import type { OllamaClient } from "./client.ts";
import type { Answer, ChatMessage } from "./wire.ts";
import { type EvalRow, readEvalRows } from "./eval_rows.ts";

/** How a served model compares with the trainer's model in memory. */
export type Proof = {
  /** Share of right answers, by the pipeline's metric; null where it has none. */
  readonly metric: number | null;
  /** Share of rows whose answer is the trainer's own; null where there is no metric. */
  readonly agreement: number | null;
  /**
   * How answers are compared: character by character, or, where the server splits them, by content, reasoning and the
   * tools called with JSON-equal arguments.
   */
  readonly answers_by: "text" | "content, reasoning and tool calls";
  readonly rows: number;
  /**
   * Rows whose prompt equals the one of the training: the same number of tokens and, where the server shows it, the same
   * text. The tokenizer is the base's own, so equal text means equal tokens.
   */
  readonly prompts_equal: number;
  readonly prompts_by: "text and token count" | "token count";
};

interface Served {
  readonly answer: Answer["message"];
  readonly promptTokens: number | undefined;
  readonly promptText: string | undefined;
}

export interface ProveOptions {
  readonly model: string;
  /** Whether the chat template inside the file renders, and the server splits answers. */
  readonly jinja: boolean;
  readonly evaluate: Spec["evaluate"];
  readonly result: JobResult;
  readonly trainerDir: string;
}

/** In the work's folder: every served answer beside the trainer's. */
const SERVED_FILE = "served.jsonl";

/** Sends every held-out row to the served model; `undefined` where there is none. */
export async function prove(
  client: OllamaClient,
  work: JudgeWork,
  options: ProveOptions,
): Promise<Proof | undefined> {
  const { evaluate, result, jinja, trainerDir } = options;
  const predictions = result.artifacts.find(({ kind }) => kind === "predictions");
  if (!predictions) return undefined;
  const rows = await readEvalRows(join(work.runDir, predictions.path), work);
  const served = await askAll(client, work, rows, options);
  const answering = evaluate.metric !== "none";
  const answers = jinja ? partsOf(rows, served) : textsOf(rows, served);
  const verdict = answering ? await judgeAnswers(work, answers.map(({ text }) => text), trainerDir) : null;
  const equal = rows.map((row, i) => samePrompt(row, served[i]!));
  const lines = rows.map(({ after }, i) => {
    const { text, same } = answers[i]!;
    const line = { row: i, trainer: after, served: text, served_ok: verdict?.right[i] ?? null, same };
    const { promptTokens = null } = served[i]!;
    return JSON.stringify({ ...line, prompt_tokens: promptTokens, prompt_equal: equal[i] }) + "\n";
  });
  await work.fs.writeAtomic(join(work.out, SERVED_FILE), lines.join(""));
  const shown = rows.every((row, i) => row.prompt !== undefined && served[i]!.promptText !== undefined);
  return {
    metric: verdict?.score ?? null,
    agreement: answering ? answers.filter(({ same }) => same).length / rows.length : null,
    answers_by: jinja ? "content, reasoning and tool calls" : "text",
    rows: rows.length,
    prompts_equal: equal.filter((same) => same).length,
    prompts_by: shown ? "text and token count" : "token count",
  };
}

async function askAll(
  client: OllamaClient,
  work: JudgeWork,
  rows: readonly EvalRow[],
  { model, jinja, evaluate }: ProveOptions,
): Promise<Served[]> {
  const thinking = jinja && (await client.show(model))?.capabilities.includes("thinking") === true;
  const options = { temperature: 0, num_predict: evaluate.metric === "none" ? 1 : evaluate.max_new_tokens };
  const served: Served[] = [];
  for (const row of rows) {
    const more = {
      model,
      options,
      ...row.tools.length > 0 && { tools: row.tools },
      // `true` is refused where the template has no reasoning; where it has, leaving it out means `true`.
      ...jinja && (!row.thinks || thinking) && { think: row.thinks },
    };
    served.push(await ask(client, row, more));
    work.progress({
      phase: "asking the served model",
      done: served.length,
      total: rows.length,
      unit: "rows",
    });
  }
  return served;
}

type More = Omit<Parameters<OllamaClient["chat"]>[0], "messages">;

/** Asks as a client does, and with the reasoning of earlier turns in their content where the server drops it. */
async function ask(client: OllamaClient, row: EvalRow, more: More): Promise<Served> {
  const asked = async (messages: readonly ChatMessage[]): Promise<Served> => {
    // The answer first: a server that cannot run the model cannot show a prompt either.
    const { message, prompt_eval_count: promptTokens } = await client.chat({ ...more, messages });
    const shown = await client.chat({ ...more, messages, renderOnly: true });
    return { answer: message, promptTokens, promptText: shown._debug_info?.rendered_template };
  };
  const found = await asked(row.messages);
  if (row.inline === undefined || samePrompt(row, found)) return found;
  const other = await asked(row.inline);
  return samePrompt(row, other) ? other : found;
}

function samePrompt(row: EvalRow, { promptText, promptTokens }: Served): boolean {
  const known = promptText !== undefined && row.prompt !== undefined;
  return promptTokens === row.promptTokens && (!known || promptText === row.prompt);
}

interface Compared {
  /** The served answer as one text. */
  readonly text: string;
  readonly same: boolean;
}

function textsOf(rows: readonly EvalRow[], served: readonly Served[]): Compared[] {
  return rows.map(({ after }, i) => {
    const text = served[i]!.answer.content;
    return { text, same: text === after };
  });
}

/** Answers that the server split. One that equals the trainer's is given in the trainer's text. */
function partsOf(rows: readonly EvalRow[], served: readonly Served[]): Compared[] {
  const form = formOf(rows);
  return rows.map(({ after }, i) => {
    const { content, thinking, tool_calls: calls } = served[i]!.answer;
    const parts: ServedAnswer = {
      content,
      thinking,
      calls: calls.map(({ function: fn }) => servedCall(fn.name, fn.arguments)),
    };
    const same = after !== null && sameAnswer(after, parts, form);
    return { text: same ? after : asText(parts, form), same };
  });
}
