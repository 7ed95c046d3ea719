/**
 * temper as a library: read and check pipeline files.
 *
 * @module
 */
export { denoFs, type Fs } from "./src/lib/files/fs.ts";
export { TemperError, UsageError } from "./src/lib/errors.ts";
export {
  loadAll,
  type LoadAllResult,
  type LoadedSpec,
  type LoadOptions,
  type LoadResult,
  loadSpec,
  loadSpecOrThrow,
} from "./src/spec/load.ts";
export type { Problem } from "./src/spec/problem.ts";
export { renderProblem } from "./src/spec/render.ts";
export { Spec } from "./src/spec/schema/schema.ts";
export { SpecError } from "./src/spec/spec_error.ts";
