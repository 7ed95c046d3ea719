import { readLines } from "../../lib/lines.ts";
import { jsonFault, kindOf, MAX_ROW_BYTES, type Note, type Row, type SourceBytes, TOO_LONG } from "./row.ts";

/** One JSON object a line. Blank lines are skipped. */
export async function* readJsonl({ chunks, start }: SourceBytes, note: Note): AsyncGenerator<Row[]> {
  const lines = readLines(chunks, {
    start,
    maxBytes: MAX_ROW_BYTES,
    onFault: ({ line, byte, kind }) =>
      note(line, kind === "encoding" ? `not UTF-8 at byte ${byte} of the file` : TOO_LONG),
  });
  for await (const batch of lines) {
    const rows: Row[] = [];
    for (let i = 0; i < batch.lines.length; i++) {
      const text = batch.lines[i] as string;
      if (text === "" || text.trim() === "") continue;
      const line = batch.first + i;
      const problem = problemOf(text, batch.terminated);
      if (problem) note(line, problem);
      // A carriage return at the end is white space to JSON, and a line break to some readers of our output.
      else rows.push({ line, json: text.endsWith("\r") ? text.slice(0, -1) : text });
    }
    yield rows;
  }
}

function problemOf(text: string, terminated: boolean): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const fault = jsonFault(error, text);
    return terminated ? fault : `${fault}; the file ends in the middle of this row, was it cut off?`;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return undefined;
  const hint = Array.isArray(value) ? "; a file that holds one list of rows is named .json" : "";
  return `the row is ${kindOf(value)}, not an object${hint}`;
}
