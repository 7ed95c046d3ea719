import type { Spec } from "./schema.ts";

/** A pipeline file that was read, parsed and validated. */
export interface LoadedSpec {
  readonly spec: Spec;
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute folder of the file: relative paths in it start here. */
  readonly dir: string;
  /** The file's text, as read. */
  readonly text: string;
}
