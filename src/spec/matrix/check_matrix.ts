import type { FieldProblem } from "../rules/field_problem.ts";
import type { CheckedSpec } from "../loaded.ts";
import { axisOf } from "./matrix_axes.ts";
import { betweenCombinations, type Expanded, expandMatrix } from "./matrix.ts";
import type { Override } from "./override.ts";
import { dotted, isSection, valueAt } from "../yaml/path.ts";

/**
 * Checks every combination of a file with a matrix. When the matrix itself is wrong, there are none, and the file
 * is checked as it stands; then nothing is called missing, because the matrix may be what gives it.
 */
export async function checkMatrix(
  data: unknown,
  overrides: readonly Override[],
  check: (data: unknown) => Promise<CheckedSpec>,
): Promise<CheckedSpec[]> {
  const expanded = expandMatrix(isSection(data) ? data : {});
  const own = rules([...expanded.findings, ...uselessOverrides(overrides, expanded)]);
  if (expanded.combinations.length === 0) {
    const checked = await check(data);
    const blame = (finding: FieldProblem) => finding.absence ? undefined : finding;
    return [{ ...checked, blame }, own].filter(hasSomething);
  }
  const cells: CheckedSpec[] = [];
  const pipeline = String(valueAt(data, ["name"]));
  for (const { label, values, data, blame } of expanded.combinations) {
    cells.push({ ...await check(data), cell: { pipeline, label, values }, blame });
  }
  const between = betweenCombinations(expanded.combinations.map(({ data }) => data));
  return [...cells, own, rules(between.map(expanded.combinations[0]!.blame))].filter(hasSomething);
}

/** What concerns all combinations. */
function rules(findings: readonly FieldProblem[]): CheckedSpec {
  return { data: undefined, spec: undefined, issues: [], findings };
}

function hasSomething({ spec, issues, findings }: CheckedSpec): boolean {
  return spec !== undefined || issues.length + findings.length > 0;
}

/** A field that every combination gets from the matrix cannot be set. */
function uselessOverrides(overrides: readonly Override[], { axes }: Expanded): FieldProblem[] {
  return overrides.filter(({ path }) => axisOf(axes, path)).map(({ path }) => ({
    path,
    at: "key",
    message: `Cannot set "${dotted(path)}": the matrix sets it`,
    hint: "override a field that the matrix does not vary, or the matrix itself",
  }));
}
