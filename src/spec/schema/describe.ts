import type { z } from "../../deps/zod.ts";
import { Spec } from "./schema.ts";

type AnySchema = z.core.$ZodType;

/**
 * What the schema says of a field, such as `train.warmup_ratio` or `method.rank`. `kinds` tells which member of a
 * union a section is: `{ method: "lora" }`.
 */
export function fieldDescription(path: string, kinds: Readonly<Record<string, string>>): string | undefined {
  let schema: AnySchema | undefined = Spec;
  const walked: string[] = [];
  for (const name of path.split(".")) {
    const members = shapeOf(schema, kinds[walked.join(".")]);
    walked.push(name);
    schema = members && Object.hasOwn(members, name) ? members[name] : undefined;
    if (!schema) return undefined;
  }
  return (schema as z.ZodType).meta?.()?.description;
}

function shapeOf(
  schema: AnySchema,
  kind: string | undefined,
): Readonly<Record<string, AnySchema>> | undefined {
  const def = schema._zod.def as z.core.$ZodTypeDef & {
    innerType?: AnySchema;
    shape?: Record<string, AnySchema>;
    options?: readonly AnySchema[];
  };
  if (def.shape) return def.shape;
  if (def.innerType) return shapeOf(def.innerType, kind);
  return def.options?.map((option) => shapeOf(option, undefined)).find((shape) =>
    shape?.["kind"] && kind !== undefined && (shape["kind"] as z.ZodType).safeParse(kind).success
  );
}
