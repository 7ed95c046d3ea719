import { UsageError } from "../../lib/errors.ts";
import type { FieldProblem } from "../../spec/rules/field_problem.ts";
import type { SourceOptions } from "../../spec/schema/schema.ts";
import type { Path } from "../../spec/yaml/path.ts";

/** A field of the pipeline file that the rows contradict. */
export interface DatasetFault extends FieldProblem {
  /** What the file may have meant; absent where nothing shows it. */
  readonly meant?: { readonly path: Path; readonly value: unknown };
}

/** The pipeline file says something of the dataset that its rows contradict. */
export class DatasetError extends UsageError {
  constructor(
    code: string,
    message: string,
    hint: string | undefined,
    readonly faults: readonly DatasetFault[],
  ) {
    super(code, message, hint === undefined ? {} : { hint });
  }
}

/** The same of one file, whose place in the pipeline file is not known yet. */
export class ShapeError extends UsageError {
  /** `field`: its place below the entry. `meant`: what the entry may have meant. */
  constructor(
    code: string,
    message: string,
    hint: string,
    readonly field: readonly [keyof SourceOptions, ...string[]],
    readonly meant: SourceOptions | undefined,
  ) {
    super(code, message, { hint });
  }
}
