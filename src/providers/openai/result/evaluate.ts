// deno-lint-ignore-file camelcase -- names of predictions.jsonl and of the protocol
import { join } from "../../../deps/path.ts";
import type { ChatCompletionMessageParam } from "../../../deps/openai.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { readLines } from "../../../lib/files/lines.ts";
import type { MonitorWork } from "../../provider.ts";
import { originsOf } from "../upload/example_file.ts";
import type { JobFile } from "../job/job_file.ts";
import { metricOf } from "../../../spec/rules/metrics.ts";
import type { Service } from "../service.ts";

const CONCURRENCY = 8;

interface Row {
  readonly origin: string;
  readonly prompt: readonly JsonObject[];
  readonly tools: unknown;
  readonly expected: string;
}

export interface Evaluation {
  readonly rows: number;
  readonly before: number | null;
  readonly after: number | null;
  readonly changes: JsonObject | null;
}

/** Scores the models through the chat API. Answers are written down as they come, so that none is paid for twice. */
export async function evaluateHosted(
  work: MonitorWork,
  service: Service,
  job: JobFile,
  models: { readonly before: string | undefined; readonly after: string },
): Promise<Evaluation> {
  const right = metricOf(work.loaded.spec.evaluate);
  if (!job.validation || !right) {
    return { rows: job.validation?.rows ?? 0, before: null, after: null, changes: null };
  }
  const rows = await readRows(work, job);
  const before = models.before === undefined
    ? undefined
    : await answersOf(work, service, rows, "before", models.before);
  const after = await answersOf(work, service, rows, "after", models.after);
  const judged = rows.map(({ origin, prompt, expected }, i) => ({
    origin,
    prompt: promptText(prompt),
    expected,
    before: before?.[i] ?? null,
    few_shot: null,
    after: after[i] ?? null,
    before_ok: before ? right(before[i] ?? "", expected) : null,
    few_shot_ok: null,
    after_ok: right(after[i] ?? "", expected),
  }));
  const lines = judged.map((row) => JSON.stringify(row) + "\n").join("");
  await work.fs.writeAtomic(join(work.runDir, "job", "predictions.jsonl"), lines);
  const share = (ok: (row: typeof judged[number]) => boolean | null) =>
    judged.filter(ok).length / judged.length;
  return {
    rows: rows.length,
    before: before ? share((row) => row.before_ok) : null,
    after: share((row) => row.after_ok),
    changes: before ? changesOf(judged) : null,
  };
}

function changesOf(rows: readonly { before_ok: boolean | null; after_ok: boolean }[]): JsonObject {
  const count = (before: boolean, after: boolean) =>
    rows.filter((row) => row.before_ok === before && row.after_ok === after).length;
  return {
    fixed: count(false, true),
    still_wrong: count(false, false),
    broken: count(true, false),
    still_right: count(true, true),
  };
}

async function readRows({ configured, fs }: MonitorWork, { validation, goal }: JobFile): Promise<Row[]> {
  if (!validation) return [];
  const origins = (await fs.readText(join(configured, originsOf(validation.name)))).split("\n");
  const rows: Row[] = [];
  for await (const { lines } of readLines(fs.readStream(join(configured, validation.name)))) {
    for (const line of lines) {
      if (line === "") continue;
      const row = JSON.parse(line);
      const messages: JsonObject[] = goal === "dpo"
        ? [...row.input.messages, row.preferred_output[0]]
        : row.messages;
      const prompt = messages.slice(0, -1).map(({ weight: _, ...message }) => message);
      const tools = goal === "dpo" ? row.input.tools : row.tools;
      rows.push({
        origin: origins[rows.length] ?? "",
        prompt,
        tools,
        expected: answerText(messages.at(-1) ?? {}),
      });
    }
  }
  return rows;
}

/** The text of an answer; its tool calls, as a list in JSON, where it has those. */
function answerText({ content, tool_calls }: JsonObject): string {
  if (Array.isArray(tool_calls) && tool_calls.length > 0) {
    return JSON.stringify(tool_calls.map((call) => (call as JsonObject)["function"] ?? null));
  }
  if (typeof content === "string") return content;
  return Array.isArray(content)
    ? content.map((part) => String((part as JsonObject)["text"] ?? "")).join("")
    : "";
}

/** What a reader recognises the row by: the turn before the answer. */
function promptText(prompt: readonly JsonObject[]): string {
  return answerText(prompt.at(-1) ?? {});
}

async function answersOf(
  work: MonitorWork,
  service: Service,
  rows: readonly Row[],
  which: "before" | "after",
  model: string,
): Promise<string[]> {
  const { fs, runDir, signal } = work;
  const folder = join(runDir, "job");
  await fs.mkdirp(folder);
  const path = join(folder, `answers-${which}.jsonl`);
  const answers = await keptAnswers(work, path, model);
  const file = await fs.append(path);
  let next = 0;
  const failed = new AbortController();
  const worker = async () => {
    while (next < rows.length) {
      const i = next++;
      if (answers[i] !== undefined) continue;
      signal.throwIfAborted();
      failed.signal.throwIfAborted();
      const action = `score row ${i + 1}, ${which}`;
      const answer = await ask(work, service, rows[i] as Row, model, { action, stop: failed.signal });
      answers[i] = answer;
      await file.write(new TextEncoder().encode(JSON.stringify({ i, model, answer }) + "\n"));
      const done = answers.filter((known) => known !== undefined).length;
      work.progress({ phase: `score ${which}`, done, total: rows.length, unit: "rows" });
    }
  };
  try {
    // What still comes is paid for: it is written down before the file is closed and the first failure thrown.
    const workers = Array.from({ length: CONCURRENCY }, worker);
    await Promise.all(workers.map((ended) => ended.catch((error) => failed.abort(error))));
    failed.signal.throwIfAborted();
    await file.sync();
  } finally {
    await file.close();
  }
  return answers as string[];
}

/** The answers of an earlier, interrupted scoring. A torn last line is cut off. */
async function keptAnswers(
  { fs }: MonitorWork,
  path: string,
  model: string,
): Promise<(string | undefined)[]> {
  const answers: (string | undefined)[] = [];
  if (!await fs.stat(path)) return answers;
  const text = await fs.readText(path);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await fs.writeAtomic(path, whole);
  for (const line of whole.split("\n")) {
    if (line === "") continue;
    const kept = JSON.parse(line) as { i: number; model: string; answer: string };
    if (kept.model === model) answers[kept.i] = kept.answer;
  }
  return answers;
}

async function ask(
  { loaded }: MonitorWork,
  service: Service,
  row: Row,
  model: string,
  { action, stop }: { readonly action: string; readonly stop: AbortSignal },
): Promise<string> {
  const reply = await service.read(action, (options) =>
    service.client.chat.completions.create({
      model,
      messages: row.prompt as unknown as ChatCompletionMessageParam[],
      ...Array.isArray(row.tools) && row.tools.length > 0 && { tools: row.tools },
      temperature: 0,
      max_tokens: loaded.spec.evaluate.max_new_tokens,
    }, options), { stop });
  return answerText((reply.choices[0]?.message ?? {}) as unknown as JsonObject);
}
