import type { Providers } from "../providers/provider.ts";
import { sectionsOf } from "../providers/registry.ts";
import { type JsonSchema, pipelineSchema } from "../spec/schema/json_schema.ts";
import { specWith } from "../spec/schema/schema.ts";

/**
 * JSON Schema (draft 7) of pipeline files, for editors and generators. `providers`: your own,
 * whose sections are then part of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { schema } from "@temper/temper";
 *
 * const { properties } = schema();
 * assert.equal(properties?.["name"]?.description, "Name of the pipeline: part of every run's id");
 * ```
 */
export function schema(options: { readonly providers?: Providers } = {}): JsonSchema {
  return pipelineSchema(specWith(sectionsOf(options.providers)));
}
