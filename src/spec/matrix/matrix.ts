import { counted } from "../../lib/text/format.ts";
import type { FieldProblem } from "../rules/field_problem.ts";
import { type Axis, axisOf, readAxes } from "./matrix_axes.ts";
import { combinationLabels, entryLabels } from "./matrix_labels.ts";
import { dotted, isSection, type Path, place, valueAt } from "../yaml/path.ts";
import { Spec } from "../schema/schema.ts";

/** One combination of a matrix: a pipeline as if it had been written out. */
export interface Combination {
  /** What tells it from the others, for its name and the command line. */
  readonly label: string;
  /** What the matrix gives it, by dotted path. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly data: unknown;
  /** The place in the file of a finding about `data`. */
  blame(finding: FieldProblem): FieldProblem;
}

export interface Expanded {
  /** None when the matrix does not tell what they are. */
  readonly combinations: readonly Combination[];
  readonly axes: readonly Axis[];
  /** What is wrong with the matrix itself. */
  readonly findings: readonly FieldProblem[];
}

/** Longest name of a pipeline, and the least of it that a label needs. */
const NAME = 63;
const LEAST_LABEL = 12;

/** The combinations of a file's matrix, the last axis changing fastest. Pure. */
export function expandMatrix(data: Readonly<Record<string, unknown>>): Expanded {
  const { matrix, ...rest } = data;
  const parsed = Spec.shape.matrix.safeParse(matrix, { jitless: true });
  // Its own faults are found by whoever checks the file's data as they are.
  if (!parsed.success || !parsed.data) return { combinations: [], axes: [], findings: [] };
  const { axes, findings, sound } = readAxes(matrix as Record<string, unknown[]>);
  const name = typeof rest["name"] === "string" ? rest["name"] : "";
  const room = NAME - 1 - name.length;
  if (!sound) return { combinations: [], axes, findings };
  if (room < LEAST_LABEL) return { combinations: [], axes, findings: [...findings, longName(name)] };
  const choices = choose(axes.map(({ entries }) => entries.length));
  const entries = axisLabels(axes);
  const labels = combinationLabels(choices.map((choice) => choice.map((n, i) => entries[i]![n]!)), room);
  const combinations: Combination[] = [];
  for (const [i, choice] of choices.entries()) {
    const made = combine(rest, axes, choice);
    if ("message" in made) return { combinations: [], axes, findings: [made] };
    const label = labels[i]!;
    const named = typeof rest["name"] === "string" ? { ...made.data, name: `${name}-${label}` } : made.data;
    combinations.push({ ...made, label, data: named, blame: (f) => blame(f, axes, choice, data) });
  }
  return { combinations, axes, findings };
}

/** What all combinations share does not distinguish them. */
function axisLabels(axes: readonly Axis[]): string[][] {
  const varied = axes.some((axis) => axis.entries.length > 1);
  return axes.map((axis) => axis.entries.length > 1 || !varied ? entryLabels(axis) : [""]);
}

/** Every way to take one of each: [[0, 0], [0, 1], …]. */
function choose(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size) => all.flatMap((choice) => Array.from({ length: size }, (_, n) => [...choice, n])),
    [[]],
  );
}

function combine(
  rest: Record<string, unknown>,
  axes: readonly Axis[],
  choice: readonly number[],
): FieldProblem | { readonly data: Record<string, unknown>; readonly values: Record<string, unknown> } {
  const given = axes.flatMap(({ key, paths, entries }, axis) =>
    paths.map((path, i) => ({ key, path, value: entries[choice[axis]!]![i] }))
  );
  let data: unknown = rest;
  // A field inside a section that the matrix gives too changes that section.
  for (const { key, path, value } of given.toSorted((a, b) => a.path.length - b.path.length)) {
    const placed = place(data, path, value);
    if (!placed.ok) {
      const message = `Cannot vary "${dotted(path)}": ${placed.found}`;
      return { path: ["matrix", key], at: "key", message };
    }
    data = placed.data;
  }
  const values = Object.fromEntries(given.map(({ path, value }) => [dotted(path), value]));
  return { data: data as Record<string, unknown>, values };
}

/** What the matrix gave is marked there: the entry, or the key where its name is what is wrong. */
function blame(
  finding: FieldProblem,
  axes: readonly Axis[],
  choice: readonly number[],
  file: unknown,
): FieldProblem {
  const path = finding.mark ?? finding.path;
  const found = axisOf(axes, path) ?? (finding.at === "key" ? sectionOf(axes, path, file) : undefined);
  if (!found) return finding;
  const { key, paths } = axes[found.axis]!;
  const below = path.slice(paths[found.at]!.length);
  const isName = finding.at === "key" && below.length === 0;
  const { mark: _, ...rest } = finding;
  if (isName) return { ...rest, path, mark: ["matrix", key] };
  const entry = [choice[found.axis]!, ...paths.length === 1 ? [] : [found.at]];
  return { ...rest, path: ["matrix", key, ...entry, ...below] };
}

/** The axis of an unknown section that is there only because a path of the matrix begins with it. */
function sectionOf(axes: readonly Axis[], path: Path, file: unknown) {
  if (valueAt(file, path) !== undefined) return undefined;
  for (const [axis, { paths }] of axes.entries()) {
    const at = paths.findIndex((start) => path.every((name, i) => start[i] === name));
    if (at >= 0) return { axis, at };
  }
  return undefined;
}

/** Rules between combinations. `specs`: data of each. */
export function betweenCombinations(specs: readonly unknown[]): FieldProblem[] {
  const served = new Map<string, number>();
  for (const spec of specs) {
    const provider = valueAt(spec, ["provider"]);
    if (!isSection(provider) || provider["kind"] !== "ollama" || provider["register"] === "never") continue;
    const { model } = provider;
    if (typeof model === "string") served.set(model, (served.get(model) ?? 0) + 1);
  }
  return [...served].filter(([, n]) => n > 1).map(([model, n]) => ({
    path: ["provider", "model"],
    at: "value",
    message: `Conflicting value of provider.model: ${counted(n, "combination")} would serve as "${model}"`,
    hint: "vary provider.model too, set provider.register: never, or provider.kind: local",
  }));
}

function longName(name: string): FieldProblem {
  const most = NAME - 1 - LEAST_LABEL;
  const message = `Too long a name for a matrix: found ${name.length} characters, at most ${most}`;
  return { path: ["name"], at: "value", message, hint: "each combination appends its values to the name" };
}
