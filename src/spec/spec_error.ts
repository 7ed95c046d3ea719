import { UsageError } from "../lib/errors.ts";
import { countOf, type Problem, problemJson } from "./problem.ts";
import { renderProblem } from "./render.ts";

/** A pipeline file cannot be used; `problems` says everything that is wrong with it. */
export class SpecError extends UsageError {
  constructor(path: string, readonly problems: readonly Problem[]) {
    super("invalid-pipeline", `Cannot use the pipeline file "${path}": ${countOf(problems)}`);
  }

  override render(color = false): string {
    return `${this.problems.map((problem) => renderProblem(problem, color)).join("\n\n")}\n\n${this.message}`;
  }

  override toJSON() {
    return { ...super.toJSON(), problems: this.problems.map(problemJson) };
  }
}
