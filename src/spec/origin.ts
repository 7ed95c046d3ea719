import type { LoadedSpec } from "./loaded.ts";
import { valueAt } from "./yaml/path.ts";

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
  field: string,
): keyof typeof GIVEN | undefined {
  if (valueAt(given, field.split(".")) === undefined) return undefined;
  const isBelow = (path: string) => `${field}.`.startsWith(`${path}.`);
  if (Object.keys(cell?.values ?? {}).some(isBelow)) return "matrix";
  return overridden.some(isBelow) ? "set" : "file";
}
