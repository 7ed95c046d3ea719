import { count } from "../lib/text/format.ts";
import type { Json, JsonObject } from "../lib/json/json.ts";
import { oneLine } from "../lib/text/text_width.ts";
import { objectOf } from "./scores.ts";
import type { RunState } from "../log/run_state.ts";

/** How many fields one sentence names; the rest are in the report. */
const NAMED = 12;

/** The fields of the rows that nothing uses: `messages[].name (40 in 12 rows), source (12 rows)`. */
export function unusedText(summary: JsonObject | undefined): string | undefined {
  const fields = unusedFields(summary);
  if (fields.length === 0) return undefined;
  const named = fields.slice(0, NAMED).map(fieldText).join(", ");
  const more = fields.length - NAMED;
  const further = objectOf(summary)["more_unused"];
  const beyond = typeof further === "number" ? `, and ${count(further)} more values in other fields` : "";
  return `${named}${more > 0 ? ` and ${more} more` : ""}${beyond}`;
}

/** The same of a run whose format step is done. */
export function unusedOf(state: RunState): string | undefined {
  return unusedText(state.steps.find(({ kind }) => kind === "format")?.summary);
}

export function unusedFields(summary: JsonObject | undefined): readonly JsonObject[] {
  const unused: Json | undefined = summary?.["unused"];
  return Array.isArray(unused) ? unused.map((field: Json) => objectOf(field)) : [];
}

function fieldText({ field, why, count: values, rows }: JsonObject): string {
  const name = oneLine(typeof why === "string" ? `${field} ${why}` : `${field}`);
  const inRows = `${count(Number(rows))} ${rows === 1 ? "row" : "rows"}`;
  return values === rows ? `${name} (${inRows})` : `${name} (${count(Number(values))} in ${inRows})`;
}
