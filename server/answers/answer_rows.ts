import { join } from "../../src/deps/path.ts";
import { TemperError } from "../../src/lib/errors.ts";
import type { ReadFs } from "../../src/lib/files/read_fs.ts";
import {
  type ChangeKind,
  changeOf,
  type Prediction,
  questionOf,
  readPredictions,
  readServed,
  type ServedAnswer,
} from "../../src/log/predictions.ts";
import type { RunState } from "../../src/log/run_state.ts";
import { stepFolder } from "../run_details.ts";
import { ANSWER_FILTERS, type AnswerFilter, type AnswerQuery } from "./answer_query.ts";

/** Of a job on this machine and of a hosted one. */
const PREDICTIONS = ["job/artifacts/predictions.jsonl", "job/predictions.jsonl"] as const;

/** A held-out row with all that was answered to it. */
export interface AnswerRow {
  /** Number in the file, from 0. */
  readonly row: number;
  readonly prediction: Prediction;
  readonly change: ChangeKind | undefined;
  /** What the served model answered; undefined where it was not asked. */
  readonly served: ServedAnswer | undefined;
}

export interface AnswerPage {
  readonly rows: readonly AnswerRow[];
  /** Rows that the query leaves. */
  readonly total: number;
  /** Rows that the text leaves, by filter. */
  readonly counts: Readonly<Record<AnswerFilter | "all", number>>;
  /** Whether the served model was asked. */
  readonly isServed: boolean;
}

/** Where a run's answers are. */
export interface AnswerFiles {
  readonly predictions: string;
  readonly served: string | undefined;
}

/** Undefined where the run has no answers (yet). */
export async function answerFiles(
  fs: ReadFs,
  dir: string,
  state: RunState,
): Promise<AnswerFiles | undefined> {
  const isThere = async (path: string) => (await fs.stat(path))?.isFile === true;
  for (const path of PREDICTIONS.map((name) => join(dir, name))) {
    if (!await isThere(path)) continue;
    const folder = stepFolder(state, "monitor");
    const served = folder === undefined ? undefined : join(dir, folder, "served.jsonl");
    return { predictions: path, served: served !== undefined && await isThere(served) ? served : undefined };
  }
  return undefined;
}

/** One page of the answers, and how many there are of each kind. */
export async function answerPage(fs: ReadFs, files: AnswerFiles, query: AnswerQuery): Promise<AnswerPage> {
  const counts = Object.fromEntries(["all", ...ANSWER_FILTERS].map((name) => [name, 0])) as Record<
    AnswerFilter | "all",
    number
  >;
  const first = (query.page - 1) * query.perPage;
  const rows: AnswerRow[] = [];
  const matches = textFilter(query.text);
  for await (const row of readAnswers(fs, files)) {
    if (!matches(row)) continue;
    const kinds = kindsOf(row);
    for (const kind of kinds) counts[kind]++;
    if (query.change !== undefined && !kinds.includes(query.change)) continue;
    const place = counts[query.change ?? "all"] - 1;
    if (place >= first && rows.length < query.perPage) rows.push(row);
  }
  const total = counts[query.change ?? "all"];
  return { rows, total, counts, isServed: files.served !== undefined };
}

/** All answers that a query leaves, as a stream. */
export async function* selectAnswers(
  fs: ReadFs,
  files: AnswerFiles,
  { change, text }: Partial<AnswerQuery>,
): AsyncGenerator<AnswerRow> {
  const matches = textFilter(text);
  for await (const row of readAnswers(fs, files)) {
    if (matches(row) && kindsOf(row).includes(change ?? "all")) yield row;
  }
}

async function* readAnswers(
  fs: ReadFs,
  { predictions, served: servedPath }: AnswerFiles,
): AsyncGenerator<AnswerRow> {
  const served = servedPath === undefined ? undefined : readServed(fs, servedPath);
  let row = 0;
  try {
    for await (const prediction of readPredictions(fs, predictions)) {
      const answer = await served?.next();
      if (answer?.done) throw fewerServed(servedPath!, row);
      yield { row, prediction, change: changeOf(prediction), served: answer?.value };
      row++;
    }
  } finally {
    await served?.return(undefined);
  }
}

function fewerServed(path: string, rows: number): TemperError {
  return new TemperError(
    "bad-predictions",
    `Cannot read the served answers at "${path}": only ${rows} rows`,
    {
      hint: "It has one row for each held-out row: run the pipeline again with --fresh",
    },
  );
}

function kindsOf({ prediction, change, served }: AnswerRow): (AnswerFilter | "all")[] {
  const { after_ok: ok } = prediction;
  return [
    "all",
    ...change ? [change] : [],
    ...typeof ok === "boolean" ? [ok ? "right" : "wrong"] as const : [],
    ...served && !served.same ? ["served_differently"] as const : [],
  ];
}

function textFilter(text: string | undefined): (row: AnswerRow) => boolean {
  if (text === undefined) return () => true;
  const wanted = text.toLowerCase();
  return ({ prediction, served }) => {
    const { prompt, origin, expected, before, few_shot, after } = prediction;
    const texts = [questionOf(prediction), prompt, origin, expected, before, few_shot, after, served?.served];
    return texts.some((text) => text?.toLowerCase().includes(wanted));
  };
}
