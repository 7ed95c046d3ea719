import type { z } from "../deps/zod.ts";
import type { LoadedSpec } from "../spec/load.ts";

/**
 * What a pipeline says in the section of a provider of one's own, with its defaults: for the functions of that provider.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { type LoadedSpec, providerFields } from "@temper/temper";
 *
 * const schema = z.strictObject({ queue: z.string().meta({ description: "Queue of the cluster" }) });
 * const queueOf = (loaded: LoadedSpec): string => providerFields(loaded, schema).queue;
 * console.log(queueOf.name);
 * ```
 */
export function providerFields<Fields extends z.ZodObject>(
  { spec }: Pick<LoadedSpec, "spec">,
  schema: Fields,
): z.output<Fields> {
  // They were parsed with the pipeline. What a transform has made of them need not be valid input again.
  const names = new Set(Object.keys(schema.shape));
  return Object.fromEntries(Object.entries(spec.provider).filter(([name]) => names.has(name))) as z.output<
    Fields
  >;
}
