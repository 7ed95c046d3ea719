import { UsageError } from "../lib/errors.ts";
import { countOf, type Problem, problemJson } from "./problem.ts";
import { renderProblem } from "./render.ts";

/**
 * A pipeline cannot be used; `problems` lists everything that is wrong with it.
 *
 * @example
 * ```ts
 * const places = ({ problems }: SpecError) => problems.map(({ line, column, path }) => `${line}:${column} ${path}`);
 * console.log(places.length);
 * ```
 */
export class SpecError extends UsageError {
  /** `what`: which pipeline it is, in words. */
  constructor(what: string, readonly problems: readonly Problem[]) {
    super("invalid-pipeline", `Cannot use ${what}: ${countOf(problems)}`);
  }

  override render(color = false): string {
    return `${this.problems.map((problem) => renderProblem(problem, color)).join("\n\n")}\n\n${this.message}`;
  }

  override toJSON() {
    return { ...super.toJSON(), problems: this.problems.map(problemJson) };
  }
}
