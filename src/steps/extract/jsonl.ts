import { readLines } from "../../lib/files/lines.ts";
import { faultText, rowFault } from "./json_row.ts";
import {
  MAX_ROW_BYTES,
  type Note,
  notUtf8,
  OTHER_ENCODING,
  type Row,
  type SourceBytes,
  TOO_LONG,
} from "./row.ts";

/** One JSON object a line. Blank lines are skipped, and so are byte order marks before a line: joined files have them. */
export async function* readJsonl({ chunks, start }: SourceBytes, note: Note): AsyncGenerator<Row[]> {
  const lines = readLines(chunks, {
    start,
    maxBytes: MAX_ROW_BYTES,
    onFault: ({ line, byte, kind }) =>
      kind === "encoding" ? note(line, notUtf8(byte), OTHER_ENCODING) : note(line, TOO_LONG),
  });
  let isFirst = true;
  for await (const batch of lines) {
    const rows: Row[] = [];
    for (let i = 0; i < batch.lines.length; i++) {
      const text = withoutMark(batch.lines[i] as string);
      if (text === "" || text.trim() === "") continue;
      const line = batch.first + i;
      const spread = isFirst ? SPREAD.get(text.trim()) : undefined;
      isFirst = false;
      // Each further line would be wrong in a way of its own.
      if (spread !== undefined) return note(line, spread);
      const problem = problemOf(text, batch.terminated);
      if (problem) note(line, problem);
      // A carriage return at the end is white space to JSON, and a line break to some readers of our output.
      else rows.push({ line, json: text.endsWith("\r") ? text.slice(0, -1) : text });
    }
    yield rows;
  }
}

/** First lines of files whose values go over several lines. */
const SPREAD: ReadonlyMap<string, string> = new Map([
  ["[", "the file contains one list over several lines; name it .json"],
  ["{", "an object spans several lines; .jsonl needs one object per line, as jq -c writes"],
]);

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function problemOf(text: string, terminated: boolean): string | undefined {
  const fault = rowFault(text);
  if (!fault) return undefined;
  const found = faultText(fault);
  if (fault.kind === "list") return `${found}; if the file is one list of rows, rename it to .json`;
  const cut = fault.kind === "cut" && !terminated;
  return cut ? `${found}; the file ends in the middle of this row: is it truncated?` : found;
}
