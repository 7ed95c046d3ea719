import type { z } from "../deps/zod.ts";
import { counted } from "../lib/text/format.ts";
import { nearest } from "../lib/text/nearest.ts";
import type { FieldProblem } from "./rules/field_problem.ts";
import { allFields, fieldOf, type JsonSchema, jsonSchema, keysOf, schemaAt } from "./schema/json_schema.ts";
import type { Spec } from "./schema/schema.ts";
import { dotted, type Path, valueAt } from "./yaml/path.ts";
import { MOST_PROBLEMS } from "./problem.ts";
import { expected, found, oneOf } from "./schema/value_text.ts";

type Issue = z.core.$ZodIssue;

/** What zod found, in temper's words: the value found, what is allowed, the nearest name. */
export function explainIssues(issues: readonly Issue[], data: unknown, spec: typeof Spec): FieldProblem[] {
  if (issues.length === 0) return [];
  const schema = jsonSchema(spec);
  const findings = issues.flatMap((issue) => explain({ data, schema }, issue, []));
  return findings.filter((finding) => !isMisspelt(finding, findings));
}

/** A misspelt key is not also reported as missing. */
function isMisspelt(finding: FieldProblem, all: readonly FieldProblem[]): boolean {
  if (!finding.absence) return false;
  const section = dotted(finding.path.slice(0, -1));
  return all.some((other) =>
    other.at === "key" && dotted(other.path.slice(0, -1)) === section &&
    nearest(String(other.path.at(-1)), [String(finding.path.at(-1))]) !== undefined
  );
}

interface Context {
  readonly data: unknown;
  readonly schema: JsonSchema;
}

function explain(context: Context, issue: Issue, base: Path): FieldProblem[] {
  const path = [...base, ...issue.path as Path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, MOST_PROBLEMS).map((key) => unknownKey(context, path, key));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const inner = closestBranch(issue.errors);
    if (inner) return inner.flatMap((part) => explain(context, part, path));
  }
  const value = valueAt(context.data, path);
  if (issue.code === "custom") return [ownCheck(path, value, issue.message)];
  if (value === undefined) return [missingKey(context, path)];
  return [wrongValue(context, path, value, issue)];
}

/** The alternative whose type fits, so that what is wrong inside it can be said; of several, the one that fits best. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const inside = ({ code, path }: Issue) =>
    path.length > 0 || code === "too_small" || code === "too_big" || code === "unrecognized_keys";
  return branches.filter((issues) => issues.every(inside)).toSorted((a, b) => weight(a) - weight(b))[0];
}

function weight(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);
}

function unknownKey({ data, schema }: Context, section: Path, key: string): FieldProblem {
  const path = [...section, key];
  const known = keysOf(schemaAt(section, data, schema));
  const where = section.length === 0 ? "" : ` in ${dotted(section)}`;
  return {
    path,
    at: "key",
    message: `Unrecognized key "${key}"${where}`,
    hint: keyHint(schema, path, known),
  };
}

function keyHint(schema: JsonSchema, path: Path, known: readonly string[]): string | undefined {
  const key = String(path.at(-1));
  const close = nearest(key, known);
  if (close !== undefined) return `did you mean "${close}"`;
  if (key === "<<") return "without quotes, << merges another section: <<: *name";
  const elsewhere = allFields(schema).find((field) => field.at(-1) === key && field.length > 1);
  if (elsewhere && dotted(elsewhere) !== dotted(path)) {
    return `it belongs to "${dotted(elsewhere.slice(0, -1))}"`;
  }
  return known.length === 0 ? undefined : `known keys: ${known.join(", ")}`;
}

function missingKey({ data, schema }: Context, path: Path): FieldProblem {
  const section = path.slice(0, -1);
  const node = missingSchema(schema, data, path);
  const where = section.length === 0 ? "" : ` in ${dotted(section)}`;
  const sense = node?.description ?? (node && expected(node));
  const choice = node?.enum ?? (node?.const === undefined ? undefined : [node.const]);
  const hint = choice ? `one of: ${oneOf(choice.map(String))}` : sense;
  return {
    path,
    at: "value",
    message: `Missing key "${path.at(-1)}"${where}`,
    hint: choice?.length === 1 ? `add ${path.at(-1)}: ${choice[0]}` : hint,
    absence: true,
  };
}

/** Before its kind is known, a section of several kinds has a schema for the key `kind` alone. */
function missingSchema(schema: JsonSchema, data: unknown, path: Path): JsonSchema | undefined {
  if (path.at(-1) !== "kind") return schemaAt(path, data, schema);
  return { enum: kindsOf(schema, path.slice(0, -1)) };
}

function kindsOf(schema: JsonSchema, section: Path): string[] {
  const node = schema.properties?.[String(section[0])];
  return (node?.oneOf ?? []).map((option) => String(option.properties?.["kind"]?.const));
}

/** What a check that came with the schema of one's own provider says, in its words. */
function ownCheck(path: Path, value: unknown, message: string): FieldProblem {
  const finding = { path, at: "value", message: `Wrong value for ${dotted(path)}: ${message}` } as const;
  return value === undefined ? { ...finding, absence: true } : finding;
}

function wrongValue({ data, schema }: Context, path: Path, value: unknown, issue: Issue): FieldProblem {
  const name = path.length === 0 ? "the file" : dotted(path);
  const kinds = path.at(-1) === "kind" ? kindsOf(schema, path.slice(0, -1)) : [];
  const node = kinds.length > 0 ? { enum: kinds } : plainSchema(schema, data, path);
  if (value === null && path.length === 0) {
    const hint = "copy an example from pipelines/";
    return {
      path,
      at: "value",
      message: "Cannot use the pipeline file: it contains only comments",
      hint,
    };
  }
  if (value === null) {
    const hint = node && `expected ${sectionOr(node)}; remove the key if it is not needed`;
    return { path, at: "value", message: `Empty value for ${name}: no value after the key`, hint };
  }
  if (issue.code === "invalid_format" && issue.format === "regex") {
    return {
      path,
      at: "value",
      message: `Wrong value for ${name}: found ${found(value)}`,
      hint: issue.message,
    };
  }
  const want = wanted(issue, node);
  return {
    path,
    at: "value",
    message: `Wrong value for ${name}: found ${found(value)}, expected ${want}`,
    hint: valueHint(value, node),
  };
}

/** The schema of a field as it is declared, with all its alternatives. */
function plainSchema(schema: JsonSchema, data: unknown, path: Path): JsonSchema | undefined {
  const section = schemaAt(path.slice(0, -1), data, schema);
  const last = path.at(-1);
  if (last === undefined) return schema;
  return typeof last === "number" ? section?.items : fieldOf(section, last);
}

function wanted(issue: Issue, node: JsonSchema | undefined): string {
  if (issue.code === "invalid_format" && issue.format === "url") return "an http:// or https:// address";
  if (issue.code === "too_small" && issue.origin === "string") return "text that is not empty";
  if (issue.code === "too_small" && issue.origin === "array") return "a list that is not empty";
  if (issue.code === "too_big" && issue.origin === "string") {
    return `at most ${counted(Number(issue.maximum), "character")}`;
  }
  if (issue.code === "too_big" && issue.origin === "array") {
    return `at most ${counted(Number(issue.maximum), "item")}`;
  }
  return node ? sectionOr(node) : issue.message;
}

function sectionOr(node: JsonSchema): string {
  const keys = keysOf(node);
  return keys.length > 0 ? `a section with keys such as ${keys.slice(0, 3).join(", ")}` : expected(node);
}

function valueHint(value: unknown, node: JsonSchema | undefined): string | undefined {
  if (typeof value !== "string" || !node) return undefined;
  const options = [node, ...node.anyOf ?? []].flatMap((n) => n.enum ?? []).filter((o) =>
    typeof o === "string"
  );
  const close = nearest(value, options);
  if (close !== undefined) return `did you mean "${close}"`;
  if (node.type === "boolean" && /^(yes|on|no|off)$/i.test(value)) {
    return `write ${/^(yes|on)$/i.test(value) ? "true" : "false"}: in YAML 1.2 this is text`;
  }
  const bare = value.replaceAll("_", "");
  if ((node.type === "number" || node.type === "integer") && bare !== "" && Number.isFinite(Number(bare))) {
    return `write ${Number(bare)}`;
  }
  return undefined;
}
