import { jsonText } from "../../lib/json/json_file.ts";
import { z } from "../../deps/zod.ts";
import { isSection, type Path, valueAt } from "../yaml/path.ts";
import { Spec } from "./schema.ts";

/** The part of JSON Schema that zod writes for the pipeline file. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** The schema of every key where they are not named. */
  readonly additionalProperties?: JsonSchema | false;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly multipleOf?: number;
}

/** JSON Schema (draft 7) of the pipeline file, for editors and for the words of errors. */
export function jsonSchema(spec: typeof Spec = Spec): JsonSchema {
  return z.toJSONSchema(spec, {
    io: "input",
    target: "draft-7",
    // A provider of one's own may have fields that JSON Schema has no words for.
    unrepresentable: "any",
    override: ({ jsonSchema: node }) => {
      // The bounds of a safe integer tell a person nothing.
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
      // A section with its kind alone is the same as none; as a default it would hide those of its fields.
      if (isSection(node.default) && Object.keys(node.default).every((key) => key === "kind")) {
        delete node.default;
      }
    },
  }) as JsonSchema;
}

/** The schema of one field. `data` decides which kind of method or provider is meant. */
export function schemaAt(path: Path, data: unknown, root: JsonSchema = jsonSchema()): JsonSchema | undefined {
  let node: JsonSchema | undefined = root;
  for (const [i, name] of path.entries()) {
    node = branch(node, valueAt(data, path.slice(0, i)));
    node = typeof name === "number" ? node?.items : fieldOf(node, name);
    if (!node) return undefined;
  }
  return branch(node, valueAt(data, path)) ?? node;
}

/** Of several sections told apart by their kind, the one meant; of a choice of types, the one found. */
function branch(node: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  if (node?.oneOf) {
    const kind = isSection(value) ? value["kind"] : undefined;
    return node.oneOf.find((option) => option.properties?.["kind"]?.const === kind);
  }
  if (node?.anyOf && isSection(value)) return closestSection(node.anyOf, value);
  if (node?.anyOf && Array.isArray(value)) return node.anyOf.find((option) => option.type === "array");
  return node;
}

/** Of several sections, the one that knows most of the keys found. */
function closestSection(options: readonly JsonSchema[], value: object): JsonSchema | undefined {
  const sections = options.filter((option) => option.type === "object");
  const known = (option: JsonSchema) =>
    Object.keys(value).filter((key) => own(option.properties, key)).length;
  return sections.toSorted((a, b) => known(b) - known(a))[0];
}

/** Names of the keys of a section. */
export function keysOf(node: JsonSchema | undefined): string[] {
  return Object.keys(node?.properties ?? {});
}

/** Dotted paths of all fields, of every kind of method and provider, each with its section. */
export function allFields(node: JsonSchema = jsonSchema(), at: readonly string[] = []): string[][] {
  const fields = Object.entries(node.properties ?? {}).flatMap((
    [name, field],
  ) => [[...at, name], ...allFields(field, [...at, name])]);
  const options = [...node.oneOf ?? [], ...node.anyOf ?? []].flatMap((option) => allFields(option, at));
  return [...fields, ...options];
}

/** The schema of a key of a section, by its name or because every key has it. */
export function fieldOf(section: JsonSchema | undefined, name: string): JsonSchema | undefined {
  return own(section?.properties, name) ?? (section?.additionalProperties || undefined);
}

function own(properties: JsonSchema["properties"], name: string): JsonSchema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** What no matrix can give. */
const ALWAYS = ["version", "name"];

/** What pipelines/schema.json contains. */
export function pipelineSchema(spec: typeof Spec = Spec): JsonSchema {
  const { $schema, required, ...rest } = jsonSchema(spec) as JsonSchema & { $schema: string };
  // A key given by the matrix need not be in the file as well.
  const sections = { if: { required: ["matrix"] }, then: { required: ALWAYS }, else: { required } };
  const extensions = {
    patternProperties: {
      "^x-": { description: "The file's own: temper ignores it. The place for anchors that sections share" },
    },
  };
  return { $schema, title: "temper pipeline", ...rest, ...extensions, ...sections } as JsonSchema;
}

/** The text of pipelines/schema.json. */
export function schemaText(): string {
  return jsonText(pipelineSchema());
}
