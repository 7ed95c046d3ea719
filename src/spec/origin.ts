import type { LoadedSpec } from "./loaded.ts";
import { dotted, type Path, valueAt } from "./yaml/path.ts";

/**
 * Where a setting's value comes from: the pipeline file, `--set`, the matrix, a default, a default that depends on the
 * base, or an environment variable.
 */
export type Origin = "file" | "set" | "matrix" | "default" | "base" | "environment";

/** The reason of a value that the user gave. */
export const GIVEN = {
  file: "set in the file",
  set: "set with --set",
  matrix: "set by the matrix",
} as const satisfies Partial<Record<Origin, string>>;

/** Who gave a field its value, before defaults; undefined when nobody did. */
export function givenBy(
  { given, overridden = [], cell }: LoadedSpec,
  path: Path,
): keyof typeof GIVEN | undefined {
  if (valueAt(given, path) === undefined) return undefined;
  const isBelow = (above: string) => `${dotted(path)}.`.startsWith(`${above}.`);
  if (Object.keys(cell?.values ?? {}).some(isBelow)) return "matrix";
  return overridden.some(isBelow) ? "set" : "file";
}
