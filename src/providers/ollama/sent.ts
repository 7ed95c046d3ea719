import type { Json, JsonObject } from "../../lib/json.ts";

/**
 * Tools and arguments of calls as a chat template sees them behind Ollama (api/types.go, 0.34.4), which reads each
 * request into fields of its own: it keeps the ones it knows, in its order. What is trained is written the same way,
 * because another order of keys is another prompt.
 */
export function toolAsSent(tool: Json): Json {
  if (!isObject(tool) || !isObject(tool["function"] ?? null)) return tool;
  const { name, description, parameters } = tool["function"] as JsonObject;
  return {
    type: tool["type"] ?? "function",
    function: {
      name: name ?? "",
      description: description ?? "",
      parameters: parametersAsSent(parameters ?? {}),
    },
  };
}

/** JSON text; keys below the first level in alphabetical order, numbers as doubles. */
export function argumentsAsSent(text: string): string {
  const value: Json = JSON.parse(text);
  if (!isObject(value)) return text;
  return JSON.stringify(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)])));
}

/** Keys of a tool that Ollama knows no field for, as `parameters.properties.x.minimum`. */
export function lostKeys(tool: Json): string[] {
  return [...paths(tool)].filter((path) => !new Set(paths(toolAsSent(tool))).has(path));
}

function parametersAsSent(parameters: Json): Json {
  if (!isObject(parameters)) return parameters;
  const { type, $defs, items, required, properties } = parameters;
  return {
    type: type ?? "object",
    ...$defs != null && { $defs: sorted($defs) },
    ...items != null && { items: sorted(items) },
    ...filled(required) && { required },
    properties: propertiesAsSent(properties),
  };
}

/** Without any, llama-server refuses the tool. */
function propertiesAsSent(properties: Json | undefined): Json {
  if (!isObject(properties ?? null)) return {};
  return Object.fromEntries(
    Object.entries(properties as JsonObject).map(([name, property]) => [name, propertyAsSent(property)]),
  );
}

function propertyAsSent(property: Json): Json {
  if (!isObject(property)) return property;
  const { anyOf, type, items, description, enum: values, properties, required } = property;
  return {
    ...filled(anyOf) && { anyOf: anyOf.map(propertyAsSent) },
    ...filled(typeof type === "string" ? [type] : type) && { type: oneType(type!) },
    ...items != null && { items: sorted(items) },
    ...description !== undefined && description !== "" && { description },
    ...filled(values) && { enum: values.map(sorted) },
    ...isObject(properties ?? null) && { properties: propertiesAsSent(properties) },
    ...filled(required) && { required },
  };
}

function oneType(type: Json): Json {
  return Array.isArray(type) && type.length === 1 ? type[0]! : type;
}

function filled(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value) && value.length > 0;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function* paths(value: Json, at = ""): Iterable<string> {
  if (Array.isArray(value)) { for (const item of value) yield* paths(item, `${at}[]`); }
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const path = at === "" ? key : `${at}.${key}`;
      yield path;
      yield* paths(item, path);
    }
  }
}
