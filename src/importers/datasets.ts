// deno-lint-ignore-file camelcase -- names of the fields of other tools
import { isSection, type Path } from "../spec/yaml/path.ts";
import type { NamedData } from "./data_places.ts";
import type { Task } from "./task.ts";

/** One entry of dataset.source or dataset.eval. */
export type Entry = Readonly<Record<string, unknown>> & { readonly path: string };

/** Writes the entries of dataset.source or dataset.eval: a path alone where nothing more is to be said. */
export function writeEntries(
  { draft }: Task,
  to: "dataset.source" | "dataset.eval",
  entries: readonly Entry[],
): void {
  const known = new Set<string>();
  const once = entries.filter(({ path }) => {
    if (!known.has(path)) return known.add(path);
    draft.miss(to, path, {
      why: "the file is listed twice, and temper reads each file once",
      instead: "duplicate its rows if they should count double",
    });
    return false;
  });
  const written = once.map((entry) => Object.keys(entry).length === 1 ? entry.path : entry);
  if (written.length > 0) draft.set(to, written.length === 1 ? written[0] : written);
}

/** Datasets that are named alone, with nothing about their rows. */
export async function plainEntries(task: Task, list: readonly NamedData[]): Promise<Entry[]> {
  const entries = [];
  for (const data of list) entries.push({ path: await task.places.dataset(data, task.draft) });
  return entries;
}

/** The texts of a field that holds one or a list of them, each with its place. */
export function texts(value: unknown, at: Path): { readonly at: Path; readonly text: string }[] {
  if (typeof value === "string") return [{ at, text: value }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((text, i) => typeof text === "string" ? [{ at: [...at, i], text }] : []);
}

/** The sections of a list, each with its place. */
export function sections(value: unknown, at: Path) {
  if (!Array.isArray(value)) return [];
  return value.flatMap((section, i) => isSection(section) ? [{ at: [...at, i] as Path, section }] : []);
}

/** What temper takes for a speaker without being told. */
const KNOWN: Readonly<Record<string, string>> = {
  system: "system",
  developer: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  gpt: "assistant",
  chatgpt: "assistant",
  model: "assistant",
  tool: "tool",
  function: "tool",
  observation: "tool",
  tool_response: "tool",
  function_response: "tool",
};

/** The names of speakers that temper has to be told. */
export function newSpeakers(
  roles: readonly (readonly [name: string, role: string])[],
): Record<string, string> {
  return Object.fromEntries(roles.filter(([name, role]) => KNOWN[name] !== role));
}

/** How lists of turns are called, and what temper calls rows that have them. */
export function conversationFormat(
  list: string,
  role: string,
  content: string,
): "messages" | "sharegpt" | undefined {
  if (list === "messages" && role === "role" && content === "content") return "messages";
  if (
    list === "conversations" &&
    (role === "from" && content === "value" || role === "role" && content === "content")
  ) {
    return "sharegpt";
  }
  return undefined;
}

/** A row's field within a template. */
export function place(field: string, optional = false): string {
  return `{{ ${field}${optional ? " | optional" : ""} }}`;
}
