import { EXIT, TemperError, UsageError } from "../../../lib/errors.ts";
import { counted } from "../../../lib/text/format.ts";
import type { Failure } from "./trainer_files.ts";

const LISTED = 10;

/**
 * The trainer's own words as an error. Whether the job or its data is wrong, not the run, says the trainer's exit code:
 * a process that starts several workers ends with another one. `exitCode` is for trainers that do not write theirs.
 */
export function failureError(failure: Failure, exitCode: number | null | undefined): TemperError {
  const unusable = (failure.exit_code ?? exitCode) === EXIT.usage;
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
