import type { z } from "zod";
import type { Finding } from "./finding.ts";
import { explainIssues } from "./issues.ts";
import { locate } from "./locate.ts";
import type { Override } from "./override.ts";
import { dotted } from "./path.ts";
import { MOST_PROBLEMS, type Problem, type SourceText } from "./problem.ts";
import type { ParsedYaml } from "./yaml.ts";

/** A pipeline file on its way: text, YAML and the data that the schema saw. */
export interface Read {
  readonly source: SourceText;
  readonly yaml: ParsedYaml;
  readonly data: unknown;
  readonly overrides: readonly Override[];
}

/**
 * The problems behind what the schema and the rules found: one a field, the schema's first. What stands after an
 * error that misleads the YAML parser is left out, and so is what rests on something not being there.
 */
export function locateAll(
  read: Read,
  issues: readonly z.core.$ZodIssue[],
  findings: readonly Finding[],
): Problem[] {
  const { source, yaml, data, overrides } = read;
  const all = [...explainIssues(issues, data), ...findings];
  return distinct(all.filter((finding) => !finding.absence || yaml.soundTo === Infinity))
    .map((finding) => locate(finding, { source, yaml }, overrides))
    .filter((problem) => problem.source.kind === "set" || problem.end < yaml.soundTo);
}

function distinct(findings: readonly Finding[]): Finding[] {
  const fields = new Map<string, Finding>();
  for (const finding of findings) {
    if (fields.size === MOST_PROBLEMS) break;
    const field = dotted(finding.path);
    if (!fields.has(field)) fields.set(field, finding);
  }
  return [...fields.values()];
}
