import { isSection, valueAt } from "../yaml/path.ts";
import type { FieldProblem } from "./field_problem.ts";

const TRAINING_HERE = ["local", "ollama"];

/** An engine runs temper's own trainer: a provider that trains elsewhere would ignore it. */
export function engineFindings(data: unknown): FieldProblem[] {
  const kind = valueAt(data, ["provider", "kind"]);
  const engine = valueAt(data, ["engine"]);
  if (!isSection(engine) || typeof kind !== "string" || TRAINING_HERE.includes(kind)) return [];
  return [{
    path: ["engine"],
    at: "key",
    message: `Unused section engine: provider.kind is ${kind}, which trains somewhere else`,
    hint: `remove it, or set provider.kind to ${TRAINING_HERE.join(" or ")}`,
  }];
}
