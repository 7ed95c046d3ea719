import { exactJson } from "../../lib/json/exact_json.ts";
import type { Json, JsonObject } from "../../lib/json/json.ts";
import type { SentTools } from "../trainer/job/examples.ts";

export const SENT: SentTools = {
  version: 1,
  rewrite(example) {
    const messages = listOf(example["messages"]).map((message) => {
      const calls = isObject(message) ? message["tool_calls"] : undefined;
      return Array.isArray(calls) ? { ...message as JsonObject, tool_calls: calls.map(callAsSent) } : message;
    });
    const tools = example["tools"];
    return { ...example, messages, ...Array.isArray(tools) && { tools: tools.map(toolAsSent) } };
  },
  lost: ({ tools }) => listOf(tools).flatMap(lostKeys),
};

function callAsSent(call: Json): Json {
  const fn = isObject(call) ? call["function"] : undefined;
  if (!isObject(fn ?? null)) return call;
  const { arguments: args } = fn as JsonObject;
  return typeof args !== "string"
    ? call
    : { ...call as JsonObject, function: { ...fn as JsonObject, arguments: argumentsAsSent(args) } };
}

/**
 * Tools and call arguments as Ollama passes them to a chat template (api/types.go, 0.34.4). It reads each request into
 * its own types, and so keeps only the fields it knows, in its order. Training data is written the same way, because
 * another order of keys gives another prompt.
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

/** JSON text with the keys below the first level sorted. Left as it is where it contains numbers that are no doubles. */
export function argumentsAsSent(text: string): string {
  const value = parsed(text);
  if (!isObject(value)) return text;
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)]);
  const sent = JSON.stringify(Object.fromEntries(entries));
  return exactJson(sent) === exactJson(text) ? sent : text;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Keys of a tool that Ollama drops, such as `function.parameters.properties.x.minimum`. */
export function lostKeys(tool: Json): string[] {
  const kept = new Set(paths(toolAsSent(tool)));
  return [...paths(tool)].filter((path) => !kept.has(path));
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

/** llama-server refuses a tool without properties. */
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

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function* paths(value: Json, at = ""): Iterable<string> {
  if (Array.isArray(value)) { for (const item of value) yield* paths(item, `${at}[]`); }
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (item === null || item === "" || Array.isArray(item) && item.length === 0) continue;
      const path = at === "" ? key : `${at}.${key}`;
      yield path;
      yield* paths(item, path);
    }
  }
}
