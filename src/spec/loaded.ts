import type { Checked } from "./yaml/locate_all.ts";
import type { Problem } from "./problem.ts";
import type { Spec } from "./schema/schema.ts";

/**
 * A pipeline file that was read, parsed and validated.
 *
 * @example
 * ```ts
 * const epochs = ({ spec }: LoadedSpec) => spec.train.epochs;
 * console.log(epochs.length);
 * ```
 */
export interface LoadedSpec {
  readonly spec: Spec;
  /** Absolute path of the file; undefined for a pipeline defined in code. */
  readonly path: string | undefined;
  /** Absolute folder that relative paths start from: the file's. */
  readonly dir: string;
  /** The file's text, as read. */
  readonly text: string;
  /** Plain data before defaults are filled in, overrides applied. Absent when the spec was not read from a file. */
  readonly given?: unknown;
  /** Overrides as they were given, each `PATH=VALUE`. */
  readonly set?: readonly string[];
  /** Dotted paths that `--set` overrides. */
  readonly overridden?: readonly string[];
  /** Which combination of the file's matrix it is. Absent when the file has none. */
  readonly cell?: Cell;
}

/** One combination of a matrix. */
export interface Cell {
  /** Name of the pipeline file as a whole; the spec's name is this and the label. */
  readonly pipeline: string;
  /** What tells it from the others. */
  readonly label: string;
  /** What the matrix gives it, by dotted path. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A pipeline that is not in a file. */
export interface PipelineText {
  /** What it is called where a file's path would be. */
  readonly name: string;
  /** YAML. */
  readonly text: string;
  /** Absolute folder that relative paths in it start from. */
  readonly dir: string;
}

export interface Refused {
  readonly ok: false;
  readonly problems: readonly Problem[];
  /** What stops nothing. Absent when there is nothing. */
  readonly warnings?: readonly Problem[];
}

export type LoadResult = { readonly ok: true; readonly loaded: LoadedSpec } | Refused;

/**
 * A pipeline that can be used, or what is wrong with it. `cells`: one per combination of the matrix; a single one
 * without a matrix.
 *
 * @example
 * ```ts
 * const names = (result: LoadAllResult) => result.ok ? result.cells.map(({ spec }) => spec.name) : [];
 * console.log(names.length);
 * ```
 */
export type LoadAllResult = Accepted | Refused;

export interface Accepted {
  readonly ok: true;
  readonly cells: readonly LoadedSpec[];
  /** What stops nothing. Absent when there is nothing. */
  readonly warnings?: readonly Problem[];
}

/** Checked data with the findings. */
export interface CheckedSpec extends Checked {
  /** Defaults filled in; undefined when the schema found something. */
  readonly spec: Spec | undefined;
  readonly cell?: Cell;
}
