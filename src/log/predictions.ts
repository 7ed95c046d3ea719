import { z } from "../deps/zod.ts";
import type { ReadFs } from "../lib/files/read_fs.ts";
import { parseJson } from "../lib/json/json_file.ts";
import { readLines } from "../lib/files/lines.ts";

const answer = z.string().nullish();
const verdict = z.boolean().nullish();

/** One eval row: what was asked, what was expected, what the models answered. See trainer/README.md. */
export const predictionSchema = z.object({
  origin: z.string(),
  /** The turn that the answer answers. Absent in older files, whose prompt is that. */
  question: z.string().optional(),
  /** All that the model was given. */
  prompt: z.string(),
  expected: z.string(),
  before: answer,
  few_shot: answer,
  after: answer,
  before_ok: verdict,
  few_shot_ok: verdict,
  after_ok: verdict,
}).readonly();
export type Prediction = z.infer<typeof predictionSchema>;

export const CHANGES = ["fixed", "still_wrong", "broken", "still_right"] as const;
export type ChangeKind = (typeof CHANGES)[number];

/** The text by which a person recognises a row. */
export function questionOf({ question, prompt }: Prediction): string {
  return question ?? prompt;
}

/** The first rows of each kind of change, in the order of the file. */
export type Samples = { readonly [kind in ChangeKind]: readonly Prediction[] };

/** What training made of a row; `undefined` when it was not scored both before and after. */
export function changeOf(row: Prediction): ChangeKind | undefined {
  if (typeof row.before_ok !== "boolean" || typeof row.after_ok !== "boolean") return undefined;
  if (row.before_ok) return row.after_ok ? "still_right" : "broken";
  return row.after_ok ? "fixed" : "still_wrong";
}

/** At most `most` rows of each kind. Reads the file as a stream and stops when it has them. */
export async function readSamples(fs: ReadFs, path: string, most: number): Promise<Samples> {
  const samples = { fixed: [], still_wrong: [], broken: [], still_right: [] } as {
    [kind in ChangeKind]: Prediction[];
  };
  for await (const row of readPredictions(fs, path)) {
    const kind = changeOf(row);
    if (kind && samples[kind].length < most) samples[kind].push(row);
    if (CHANGES.every((kind) => samples[kind].length >= most)) break;
  }
  return samples;
}

/** What the served model answered to a row: a line of served.jsonl, which has one for each row in the same order. */
export const servedSchema = z.object({
  served: answer,
  served_ok: verdict,
  /** Whether the answer is the trainer's own. */
  same: z.boolean(),
  /** Whether the prompt is. Absent in older files. */
  prompt_equal: z.boolean().optional(),
}).readonly();
export type ServedAnswer = z.infer<typeof servedSchema>;

/** Every row in the order of the file, as a stream. */
export function readPredictions(fs: ReadFs, path: string): AsyncGenerator<Prediction> {
  return readRows(fs, path, predictionSchema, "predictions");
}

/** What was served to each row, in the same order. */
export function readServed(fs: ReadFs, path: string): AsyncGenerator<ServedAnswer> {
  return readRows(fs, path, servedSchema, "the served answers");
}

async function* readRows<T>(
  fs: ReadFs,
  path: string,
  schema: z.ZodType<T>,
  what: string,
): AsyncGenerator<T> {
  for await (const { lines, first } of readLines(fs.readChunks(path))) {
    for (const [i, line] of lines.entries()) {
      if (line === "") continue;
      yield parseJson(line, schema, `${what} at "${path}:${first + i}"`, { code: "bad-predictions" });
    }
  }
}
