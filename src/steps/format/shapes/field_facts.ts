import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { isObject, kindOf } from "../conversation/conversation.ts";

/** What a field holds in the first rows of a file. */
export interface Field {
  readonly name: string;
  /** Of how many rows these are the facts. */
  readonly rows: number;
  /** Number of rows by kind of value, `missing` included. */
  readonly kinds: ReadonlyMap<string, number>;
  /** A text in every row, with something in it in one at least. */
  readonly isText: boolean;
  /** Missing, null or empty in some rows, and a text with something in it in others. */
  readonly isSometimesText: boolean;
  /** A text, number or boolean in every row: what a template takes as it is. */
  readonly isPlain: boolean;
  /** A list or an object in every row. */
  readonly isNested: boolean;
  /** The names of its members, where it is an object or a list of objects in the first row that has it. */
  readonly members: readonly string[];
}

export function fieldFacts(sample: readonly JsonObject[]): Field[] {
  const names = [...new Set(sample.flatMap((row) => Object.keys(row)))];
  return names.map((name) =>
    factsOf(name, sample.map((row) => Object.hasOwn(row, name) ? row[name] : undefined))
  );
}

function factsOf(name: string, values: readonly (Json | undefined)[]): Field {
  const kinds = new Map<string, number>();
  for (const value of values) {
    const kind = typeof value === "boolean" ? "true or false" : kindOf(value);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const holdsText = values.some((value) => typeof value === "string" && value.trim() !== "");
  const only = (...allowed: string[]) => [...kinds.keys()].every((kind) => allowed.includes(kind));
  return {
    name,
    rows: values.length,
    kinds,
    isText: holdsText && only("a text"),
    isSometimesText: holdsText && only("a text", "null", "missing") &&
      values.some((value) => typeof value !== "string" || value.trim() === ""),
    isPlain: only("a text", "a number", "true or false"),
    isNested: only("an object", "a list"),
    members: membersOf(values.find((value) => typeof value === "object" && value !== null)),
  };
}

function membersOf(value: Json | undefined): string[] {
  const object = Array.isArray(value) ? value[0] as Json | undefined : value;
  return isObject(object) ? Object.keys(object).slice(0, 6) : [];
}

/** `"output" is an object in 40 of 40 rows`. */
export function kindWords({ name, rows, kinds, members }: Field): string {
  const [kind, count] = [...kinds].filter(([kind]) => kind !== "a text").sort(([, a], [, b]) => b - a)[0] ??
    [...kinds][0] as [string, number];
  const of = members.length > 0 && /list|object/.test(kind) ? ` of {${members.join(", ")}}` : "";
  return `"${name}" is ${kind}${of} in ${count} of ${rows} rows`;
}
