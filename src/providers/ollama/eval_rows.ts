import { join } from "node:path";
import { z } from "zod";
import type { Call } from "../../lib/text/answers.ts";
import { TemperError } from "../../lib/errors.ts";
import type { Json } from "../../lib/json/json.ts";
import { readLines } from "../../lib/files/lines.ts";
import { EVAL_FILE } from "../trainer/job/examples.ts";
import { jobDir } from "../trainer/job/job_folder.ts";
import type { JudgeWork } from "../trainer/serving/judge.ts";
import { servedCall } from "./answer.ts";
import type { ChatMessage } from "./wire.ts";

const ToolCall = z.object({
  id: z.string().optional(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});
const Message = z.object({
  role: z.string(),
  content: z.string(),
  reasoning_content: z.string().default(""),
  tool_calls: z.array(ToolCall).default([]),
  tool_call_id: z.string().optional(),
  name: z.string().optional(),
  weight: z.number().default(1),
});
type Message = z.infer<typeof Message>;
const Example = z.object({ messages: z.array(Message).min(1), tools: z.array(z.json()).default([]) });
const Prediction = z.object({
  after: z.string().nullable(),
  expected: z.string(),
  prompt: z.string(),
  /** Missing in older files, whose prompt is only the question. */
  question: z.string().optional(),
  prompt_tokens: z.int(),
});

/** A held-out row, as a client sends it and as the trainer's model answered it. */
export interface EvalRow {
  readonly messages: readonly ChatMessage[];
  /** With the reasoning of earlier turns inside their content; undefined where no earlier turn has any. */
  readonly inline: readonly ChatMessage[] | undefined;
  readonly tools: readonly Json[];
  /** Whether the answer begins with reasoning. */
  readonly thinks: boolean;
  readonly calls: readonly Call[];
  readonly expected: string;
  /** The answer of the trainer's model. */
  readonly after: string | null;
  /** The prompt text of the trainer; undefined for older runs. */
  readonly prompt: string | undefined;
  readonly promptTokens: number;
}

export async function readEvalRows(predictions: string, work: JudgeWork): Promise<EvalRow[]> {
  const examples = await jsonLines(join(jobDir(work.runDir), EVAL_FILE), Example, work);
  const answers = await jsonLines(predictions, Prediction, work);
  if (examples.length !== answers.length) {
    throw new TemperError(
      "bad-predictions",
      `Cannot compare the served answers: ${predictions} has ${answers.length} rows, the eval file ${examples.length}`,
    );
  }
  return examples.map((example, i) => rowOf(example, answers[i]!));
}

function rowOf({ messages, tools }: z.infer<typeof Example>, answer: z.infer<typeof Prediction>): EvalRow {
  const last = messages.findLastIndex(({ role, weight }) => role === "assistant" && weight !== 0);
  const asked = messages.slice(0, last);
  const thought = asked.some(({ reasoning_content: reasoning }) => reasoning !== "");
  const { reasoning_content: reasoning, tool_calls: calls } = messages[last]!;
  return {
    messages: asked.map((message) => chatMessage(message, false)),
    inline: thought ? asked.map((message) => chatMessage(message, true)) : undefined,
    tools,
    thinks: reasoning !== "",
    calls: calls.map(({ function: fn }) => servedCall(fn.name, JSON.parse(fn.arguments))),
    expected: answer.expected,
    after: answer.after,
    prompt: answer.question === undefined ? undefined : answer.prompt,
    promptTokens: answer.prompt_tokens,
  };
}

function chatMessage(message: Message, inline: boolean): ChatMessage {
  const { role, content, reasoning_content: thinking, tool_calls: calls, tool_call_id: id, name } = message;
  const written = thinking !== "" && inline ? `<think>\n${thinking}\n</think>\n\n${content}` : content;
  return {
    role,
    content: written,
    ...thinking !== "" && !inline && { thinking },
    ...calls.length > 0 && {
      tool_calls: calls.map(({ id, function: fn }) => ({
        ...id !== undefined && { id },
        function: { name: fn.name, arguments: JSON.parse(fn.arguments) },
      })),
    },
    ...role === "tool" && name !== undefined && { tool_name: name },
    ...role === "tool" && id !== undefined && { tool_call_id: id },
  };
}

async function jsonLines<T>(path: string, schema: z.ZodType<T>, { fs }: JudgeWork): Promise<T[]> {
  const found: T[] = [];
  for await (const { lines } of readLines(fs.readStream(path))) {
    for (const line of lines) if (line !== "") found.push(schema.parse(JSON.parse(line)));
  }
  return found;
}
