import { didYouMean, nearest } from "../../lib/text/nearest.ts";
import type { FieldProblem } from "./field_problem.ts";
import { type JsonSchema, jsonSchema, keysOf } from "../schema/json_schema.ts";
import type { Spec } from "../schema/schema.ts";
import { found, oneOf } from "../schema/value_text.ts";
import { isSection } from "../yaml/path.ts";

const KIND = "kind";

export interface Meant {
  /** The data with each `kind` as it was probably meant. */
  readonly data: unknown;
  readonly findings: readonly FieldProblem[];
}

/**
 * Finds a misspelt `kind`, or a misspelt value of it, in the sections that are told apart by it. Without this, nothing
 * could be said of what else the section contains.
 */
export function meantKinds(data: unknown, spec: typeof Spec): Meant {
  if (!isSection(data)) return { data, findings: [] };
  const findings: FieldProblem[] = [];
  const { properties = {} } = jsonSchema(spec);
  const entries = Object.entries(data).map(([name, section]) => {
    const options = properties[name]?.oneOf ?? [];
    if (options.length === 0 || !isSection(section)) return [name, section];
    const meant = meantSection(name, section, options);
    findings.push(...meant.findings);
    return [name, meant.data];
  });
  return { data: Object.fromEntries(entries), findings };
}

function meantSection(
  name: string,
  section: Readonly<Record<string, unknown>>,
  options: readonly JsonSchema[],
): Meant {
  const kinds = options.map((option) => String(option.properties?.[KIND]?.const));
  const key = Object.hasOwn(section, KIND) ? KIND : misspelt(section, options, kinds);
  const given = key === undefined ? undefined : section[key];
  if (key === undefined || typeof given !== "string") return { data: section, findings: [] };
  const kind = kinds.includes(given) ? given : nearest(given, kinds);
  const path = [name, key];
  const wrongKey: FieldProblem = {
    path,
    at: "key",
    message: `Unrecognized key "${key}" in ${name}`,
    hint: `did you mean "${KIND}"`,
  };
  const wrongValue: FieldProblem = {
    path: [name, KIND],
    mark: path,
    at: "value",
    message: `Wrong value for ${name}.${KIND}: found ${found(given)}, expected ${oneOf(kinds)}`,
    hint: didYouMean(given, kinds),
  };
  const rest = Object.entries(section).filter(([other]) => other !== key);
  return {
    data: kind === undefined ? section : Object.fromEntries([[KIND, kind], ...rest]),
    findings: [
      ...key === KIND ? [] : [wrongKey],
      // What has no near kind is left to the schema where the key is right.
      ...kinds.includes(given) || (key === KIND && kind === undefined) ? [] : [wrongValue],
    ],
  };
}

/** The key that stands for `kind`: it is spelt much like it, or its value is a kind. */
function misspelt(
  section: Readonly<Record<string, unknown>>,
  options: readonly JsonSchema[],
  kinds: readonly string[],
): string | undefined {
  const known = new Set(options.flatMap(keysOf));
  const unknown = Object.keys(section).filter((key) => !known.has(key) && typeof section[key] === "string");
  return unknown.find((key) => nearest(key, [KIND]) !== undefined) ??
    unknown.find((key) => kinds.includes(section[key] as string));
}
