import { count } from "../lib/text/format.ts";
import type { RunState } from "../log/run_state.ts";
import { numberOf, objectOf, scoresOf } from "./scores.ts";

/** Held-out rows whose input is also in the training data. */
export interface Leak {
  readonly rows: number;
  readonly of: number;
}

/** What format found, of a run that was scored although `dataset.checks.leakage` warned. */
export function leakOf(state: RunState): Leak | undefined {
  const { before, after, loss } = scoresOf(state.metrics);
  if ([before, after, loss.before, loss.after].every((measured) => measured === undefined)) return undefined;
  const format = state.steps.find(({ kind }) => kind === "format")?.summary;
  const rows = numberOf(objectOf(format?.["warnings"])["leakage"]) ?? 0;
  const of = numberOf(format?.["eval"]);
  return rows > 0 && of !== undefined ? { rows, of } : undefined;
}

/** The same as a note beside the score. */
export function leakText(state: RunState): string | undefined {
  const leak = leakOf(state);
  if (!leak) return undefined;
  const verb = leak.rows === 1 ? "is" : "are";
  return `${count(leak.rows)} of ${count(leak.of)} held-out rows ${verb} also in the training data`;
}
