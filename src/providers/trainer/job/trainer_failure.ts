import { TemperError, UsageError } from "../../../lib/errors.ts";
import { counted } from "../../../lib/text/format.ts";
import type { Failure } from "./trainer_files.ts";

const LISTED = 10;

/** The trainer's own words as an error. `unusable`: the job or its data is wrong, not the run. */
export function failureError(failure: Failure, unusable: boolean): TemperError {
  const code = failure.code.replaceAll("_", "-");
  const message = failure.message + rowsText(failure.rows);
  const options = failure.hint ? { hint: failure.hint } : {};
  return unusable ? new UsageError(code, message, options) : new TemperError(code, message, options);
}

function rowsText(rows: readonly string[]): string {
  const more = rows.length - LISTED;
  const lines = rows.slice(0, LISTED).map((row) => `\n    ${row}`);
  return lines.join("") + (more > 0 ? `\n    and ${counted(more, "row")} more` : "");
}
