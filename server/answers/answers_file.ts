import type { AnswerRow } from "./answer_rows.ts";

/** The columns of the CSV file, and the fields of a line of the other. */
const COLUMNS = [
  "row",
  "origin",
  "change",
  "question",
  "prompt",
  "expected",
  "before",
  "before_ok",
  "few_shot",
  "few_shot_ok",
  "after",
  "after_ok",
  "served",
  "served_ok",
  "served_same",
] as const;
type Cell = string | number | boolean | null;

/** The rows as the lines of a file: JSON, or CSV (RFC 4180). */
export async function* answerLines(
  rows: AsyncIterable<AnswerRow>,
  format: "csv" | "jsonl",
): AsyncGenerator<string> {
  if (format === "csv") yield `${COLUMNS.join(",")}\r\n`;
  for await (const row of rows) {
    const cells = cellsOf(row);
    yield format === "csv"
      ? `${COLUMNS.map((name) => csvCell(cells[name])).join(",")}\r\n`
      : `${JSON.stringify(cells)}\n`;
  }
}

function cellsOf(
  { row, prediction, change, served }: AnswerRow,
): { readonly [C in (typeof COLUMNS)[number]]: Cell } {
  return {
    row,
    origin: prediction.origin,
    change: change ?? null,
    question: prediction.question ?? null,
    prompt: prediction.prompt,
    expected: prediction.expected,
    before: prediction.before ?? null,
    before_ok: prediction.before_ok ?? null,
    few_shot: prediction.few_shot ?? null,
    few_shot_ok: prediction.few_shot_ok ?? null,
    after: prediction.after ?? null,
    after_ok: prediction.after_ok ?? null,
    served: served?.served ?? null,
    served_ok: served?.served_ok ?? null,
    served_same: served?.same ?? null,
  };
}

/** Exactly the value: nothing is put before one that a spreadsheet takes for a formula. No answer is not an empty one. */
function csvCell(value: Cell): string {
  if (value === null) return "";
  const text = String(value);
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
