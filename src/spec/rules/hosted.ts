import type { Dialect } from "../dialects/dialect.ts";
import { dialectNamed } from "../dialects/registry.ts";
import { valueAt } from "../yaml/path.ts";
import type { FieldProblem } from "./field_problem.ts";
import { isPythonOnly } from "./regex.ts";

type At = (path: string) => unknown;

/** Fields and values that a hosted service would ignore. They are refused: nothing in the file may be without effect. */
export function hostedFindings(data: unknown): FieldProblem[] {
  const at: At = (path) => valueAt(data, path.split("."));
  if (at("provider.kind") !== "openai") return [];
  const dialect = dialectNamed(at("provider.dialect") ?? "openai");
  return dialect ? [...lacking(at, dialect), ...aboveLimits(at, dialect), ...patternFindings(at)] : [];
}

function lacking(at: At, { name, lacks }: Dialect): FieldProblem[] {
  return Object.entries(lacks).filter(([path]) => at(path) !== undefined).map(([path, hint]) => ({
    path: path.split("."),
    at: "key",
    message: `Unsupported field ${path}: dialect ${name} has no such field`,
    hint,
  }));
}

function aboveLimits(at: At, { name, limits }: Dialect): FieldProblem[] {
  const refuse = (path: string, wanted: string): FieldProblem => ({
    path: path.split("."),
    at: "value",
    message: `Wrong value for ${path}: found ${at(path)}, dialect ${name} takes ${wanted}`,
  });
  const epochs = at("train.epochs");
  const batch = at("train.batch_size");
  return [
    ...typeof epochs === "number" && !(Number.isInteger(epochs) && epochs <= limits.epochs)
      ? [refuse("train.epochs", `a whole number from 1 to ${limits.epochs}`)]
      : [],
    ...typeof batch === "number" && batch > limits.batchSize
      ? [refuse("train.batch_size", `at most ${limits.batchSize}`)]
      : [],
  ];
}

/** Hosted models are scored here, without a trainer: patterns are matched by JavaScript. */
function patternFindings(at: At): FieldProblem[] {
  const pattern = at("evaluate.pattern");
  return typeof pattern !== "string" || !isPythonOnly(pattern) ? [] : [{
    path: ["evaluate", "pattern"],
    at: "value",
    message: "Cannot use evaluate.pattern: it has groups or quantifiers that only Python supports",
    hint:
      "hosted models are scored without Python: avoid inline flags, atomic groups and possessive quantifiers",
  }];
}
