import { resolve } from "node:path";
import type { LoadedSpec } from "../../../spec/load.ts";

/** Paths in a pipeline file start at its folder. */
export function basePath(loaded: LoadedSpec, name: string): string {
  return resolve(loaded.dir, name);
}
