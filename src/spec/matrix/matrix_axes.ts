import { isDeepStrictEqual } from "node:util";
import type { FieldProblem } from "../rules/field_problem.ts";
import { dotted, parsePath, type Path, startsWith } from "../yaml/path.ts";
import { counted } from "../../lib/text/format.ts";
import { found } from "../schema/value_text.ts";

/** Most combinations of one file: each of them is a training. */
export const MOST_COMBINATIONS = 64;

/** Sections whose fields may vary; name and version belong to the file as a whole. */
const FIXED: readonly string[] = ["version", "name", "matrix"];

/** One line of the matrix: fields that change together, and their values. */
export interface Axis {
  /** As it is written. */
  readonly key: string;
  readonly paths: readonly Path[];
  /** Each with one value a path. */
  readonly entries: readonly (readonly unknown[])[];
}

export interface Axes {
  readonly axes: readonly Axis[];
  readonly findings: readonly FieldProblem[];
  /** Whether the combinations can be told in spite of the findings. */
  readonly sound: boolean;
}

/** The axes of a matrix that the schema accepts, and what is wrong with them. */
export function readAxes(matrix: Readonly<Record<string, readonly unknown[]>>): Axes {
  const axes: Axis[] = [];
  const findings: FieldProblem[] = [];
  for (const [key, values] of Object.entries(matrix)) {
    const paths = key.split(",").map((path) => parsePath(path.trim().split(".")));
    const faults = [...pathFaults(key, paths, axes), ...entryFaults(key, paths.length, values)];
    findings.push(...faults);
    if (faults.length > 0) continue;
    axes.push({ key, paths, entries: paths.length === 1 ? values.map((v) => [v]) : values as unknown[][] });
  }
  const size = axes.reduce((product, { entries }) => product * entries.length, 1);
  if (Object.keys(matrix).length === 0) findings.push(emptyMatrix());
  else if (size > MOST_COMBINATIONS) findings.push(tooMany(size));
  const sound = findings.length === 0;
  return { axes, findings: sound ? axes.flatMap(duplicates) : findings, sound };
}

function pathFaults(key: string, paths: readonly Path[], earlier: readonly Axis[]): FieldProblem[] {
  const refuse = (message: string, hint: string): FieldProblem[] => [
    { path: ["matrix", key], at: "key", message, hint },
  ];
  if (paths.some((path) => path.includes(""))) {
    return refuse(`Cannot read "${key}" in matrix: a path is incomplete`, "write it as section.field");
  }
  const fixed = paths.find((path) => FIXED.includes(String(path[0])));
  if (fixed) {
    const hint = fixed[0] === "name" ? "each combination is named after its values" : "remove it";
    return refuse(`Cannot vary "${dotted(fixed)}": it belongs to the file as a whole`, hint);
  }
  const names = [...earlier.flatMap((axis) => axis.paths), ...paths].map(dotted);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined
    ? []
    : refuse(`Duplicate path "${twice}" in matrix: it is varied twice`, "keep one of the two");
}

/** Entries of paths that change together are lists with one value each. */
function entryFaults(key: string, paths: number, entries: readonly unknown[]): FieldProblem[] {
  if (paths === 1) return [];
  const at = entries.findIndex((entry) => !Array.isArray(entry) || entry.length !== paths);
  if (at < 0) return [];
  const entry = entries[at];
  const what = Array.isArray(entry) ? counted(entry.length, "value") : found(entry);
  return [{
    path: ["matrix", key, at],
    at: "value",
    message: `Wrong entry in matrix: found ${what}, expected a list of ${paths}`,
    hint: "give one value for each path of the key",
  }];
}

/** Two equal entries would be the same training twice. */
function duplicates({ key, entries }: Axis): FieldProblem[] {
  const at = entries.findIndex((entry, i) => entries.slice(0, i).some((e) => isDeepStrictEqual(e, entry)));
  if (at < 0) return [];
  const message = `Duplicate entry in matrix: entry ${at + 1} of "${key}" repeats an earlier one`;
  return [{ path: ["matrix", key, at], at: "value", message, hint: "remove it" }];
}

function emptyMatrix(): FieldProblem {
  const hint = "add one, such as train.seed: [1, 2], or remove the section";
  return { path: ["matrix"], at: "key", message: "Empty matrix: found no list of values", hint };
}

function tooMany(size: number): FieldProblem {
  const message = `Too many combinations in matrix: found ${size}, at most ${MOST_COMBINATIONS}`;
  return { path: ["matrix"], at: "key", message, hint: "each one is a separate training" };
}

/** The path of the axes that a field stands at or below, and which axis it is. */
export function axisOf(axes: readonly Axis[], path: Path): { axis: number; at: number } | undefined {
  let closest: { axis: number; at: number; length: number } | undefined;
  for (const [axis, { paths }] of axes.entries()) {
    for (const [at, start] of paths.entries()) {
      if (!startsWith(path, start) || start.length <= (closest?.length ?? 0)) continue;
      closest = { axis, at, length: start.length };
    }
  }
  return closest;
}
