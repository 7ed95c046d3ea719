import { join } from "../../../deps/path.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { LineWriter } from "../../../lib/files/line_writer.ts";
import { readLines } from "../../../lib/files/lines.ts";
import type { TrainingFile } from "../job/job_file.ts";
import type { Goal } from "../../../spec/dialects/dialect.ts";
import { type CountText, type Example, type FileTokens, TokenSum } from "./tokens.ts";

export interface LongRow {
  readonly origin: string;
  readonly tokens: number;
}

export interface WrittenFile {
  readonly file: TrainingFile;
  readonly tokens: FileTokens;
  readonly long: readonly LongRow[];
  readonly longCount: number;
}

export interface WriteOptions {
  readonly goal: Goal;
  /** Most tokens of a row. */
  readonly limit: number;
  /** Longer rows are left out. */
  readonly drops: boolean;
  readonly count: CountText;
  readonly signal: AbortSignal;
}

const KEPT = 5;

export async function* readExamples(path: string, fs: Pick<Fs, "readChunks">): AsyncGenerator<Example> {
  for await (const { lines } of readLines(fs.readChunks(path), { maxBytes: Infinity })) {
    for (const line of lines) if (line !== "") yield JSON.parse(line) as Example;
  }
}

/** The goal of a set of rows, which its first row decides. */
export async function goalOf(path: string, fs: Fs): Promise<Goal> {
  for await (const { rejected } of readExamples(path, fs)) return rejected ? "dpo" : "supervised";
  return "supervised";
}

/** Writes the rows in the protocol's form and counts their tokens. The file is named by its content. */
export async function writeExamples(
  from: string,
  out: string,
  fs: Fs,
  options: WriteOptions,
): Promise<WrittenFile> {
  const { goal, limit, drops, count, signal } = options;
  const temporary = join(out, "writing.jsonl");
  const writer = await LineWriter.create(temporary, fs);
  const origins = await LineWriter.create(join(out, "writing.origins"), fs);
  const sum = new TokenSum(limit, count);
  const long: LongRow[] = [];
  let longCount = 0;
  try {
    for await (const example of readExamples(from, fs)) {
      const row = JSON.stringify(protocolRow(example, goal));
      const tokens = sum.add(example, drops);
      const isLong = tokens > limit;
      if (isLong && longCount++ < KEPT) long.push({ origin: example.origin, tokens });
      if (isLong && drops) continue;
      writer.add(row);
      origins.add(example.origin);
      await writer.drain();
      await origins.drain();
      signal.throwIfAborted();
    }
    await writer.finish();
    await origins.finish();
  } finally {
    await writer.abandon();
    await origins.abandon();
  }
  const file = await nameByContent(temporary, out, writer.count, fs);
  return { file, tokens: sum.total, long, longCount };
}

async function nameByContent(temporary: string, out: string, rows: number, fs: Fs): Promise<TrainingFile> {
  const sha256 = await fs.sha256(temporary);
  const name = `temper-${sha256.slice(0, 32)}.jsonl`;
  await fs.rename(temporary, join(out, name));
  await fs.rename(join(out, "writing.origins"), join(out, originsOf(name)));
  return { name, bytes: (await fs.stat(join(out, name)))?.size ?? 0, sha256, rows };
}

/** The file beside a training file that lists the origin of each row. */
export function originsOf(name: string): string {
  return `${name}.origins`;
}

function protocolRow(example: Example, goal: Goal): JsonObject {
  const { origin, messages, rejected, ...extras } = example;
  if ((rejected !== undefined) !== (goal === "dpo")) {
    const found = rejected
      ? "a preference pair among plain conversations"
      : "not a preference pair, unlike other rows";
    throw new UsageError("mixed-rows", `Cannot use the dataset: ${origin}: the row is ${found}`, {
      hint: "Use one kind of row per training",
    });
  }
  if (!rejected) return { messages, ...extras };
  return {
    input: { messages: messages.slice(0, -1), tools: [], parallel_tool_calls: true, ...extras },
    preferred_output: [messages.at(-1) as JsonObject],
    non_preferred_output: [rejected],
  };
}
