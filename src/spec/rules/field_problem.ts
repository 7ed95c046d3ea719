import type { ProblemRows } from "../problem.ts";
import type { Path } from "../yaml/path.ts";

/** Something wrong with a field, before the field's position in the text is known. */
export interface FieldProblem {
  readonly path: Path;
  /** The field that the carets mark, where it is not the one at `path`. */
  readonly mark?: Path;
  /** What the carets mark. A key that is missing is marked at the section it is missing in. */
  readonly at: "key" | "value";
  readonly message: string;
  readonly hint?: string | undefined;
  /** It rests on something not being there, which an error in the YAML may have hidden. */
  readonly absence?: true;
  /** It stops nothing. */
  readonly severity?: "warning";
  /** The rows of the data that show it. */
  readonly rows?: ProblemRows;
}
