import { UsageError } from "../lib/errors.ts";
import { countOf, type Problem, problemJson } from "./problem.ts";
import { renderProblems } from "./render.ts";

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
  /** `what`: which pipeline it is, in words. `warnings`: what would stop nothing. */
  constructor(
    what: string,
    readonly problems: readonly Problem[],
    readonly warnings: readonly Problem[] = [],
  ) {
    super("invalid-pipeline", `Cannot use ${what}: ${countOf(problems, warnings)}`);
  }

  override render(color = false): string {
    return `${renderProblems(this.problems, this.warnings, color)}\n\n${this.message}`;
  }

  override toJSON() {
    return {
      ...super.toJSON(),
      problems: this.problems.map(problemJson),
      ...this.warnings.length > 0 && { warnings: this.warnings.map(problemJson) },
    };
  }
}
