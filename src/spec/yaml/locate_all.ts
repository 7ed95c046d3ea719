import type { z } from "../../deps/zod.ts";
import type { FieldProblem } from "../rules/field_problem.ts";
import { explainIssues } from "../issues.ts";
import { locate } from "./locate.ts";
import type { Override } from "../matrix/override.ts";
import { dotted } from "./path.ts";
import { MOST_PROBLEMS, type Problem, type SourceText } from "../problem.ts";
import type { Spec } from "../schema/schema.ts";
import type { ParsedYaml } from "./yaml.ts";

/** A pipeline file on its way: text, YAML and what `--set` adds. */
export interface Read {
  readonly source: SourceText;
  readonly yaml: ParsedYaml;
  readonly overrides: readonly Override[];
  /** What the data were checked with. */
  readonly spec: typeof Spec;
}

/** Data that were checked: those of the file, or of one combination of its matrix. */
export interface Checked {
  readonly data: unknown;
  /** What the schema found. */
  readonly issues: readonly z.core.$ZodIssue[];
  /** What the rules found. */
  readonly findings: readonly FieldProblem[];
  /** A finding's place in the file; undefined for one that does not count. */
  blame?(finding: FieldProblem): FieldProblem | undefined;
}

/**
 * The problems behind what the schema and the rules found: one a field, the schema's first; of rows any number. What
 * stands after an error that misleads the YAML parser is left out, and so is what rests on something not being there.
 */
export function locateAll({ source, yaml, overrides, spec }: Read, checked: readonly Checked[]): Problem[] {
  const all = checked.flatMap(({ data, issues, findings, blame }) =>
    [...explainIssues(issues, data, spec), ...findings].flatMap((finding) =>
      (blame ? blame(finding) : finding) ?? []
    )
  );
  return distinct(all.filter((finding) => !finding.absence || yaml.soundTo === Infinity))
    .map((finding) => locate(finding, { source, yaml }, overrides))
    .filter((problem) => problem.source.kind === "set" || problem.end < yaml.soundTo);
}

function distinct(findings: readonly FieldProblem[]): FieldProblem[] {
  const fields = new Map<string, FieldProblem>();
  for (const finding of findings) {
    if (fields.size === MOST_PROBLEMS) break;
    const field = `${dotted(finding.path)}${finding.rows ? `\n${finding.message}` : ""}`;
    if (!fields.has(field)) fields.set(field, finding);
  }
  return [...fields.values()];
}
