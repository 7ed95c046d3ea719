import type { FieldProblem } from "./field_problem.ts";
import { isSection, valueAt } from "../yaml/path.ts";
import { isPythonOnly } from "./regex.ts";

type Dialect = "openai" | "nebius" | "azure";

const PRESETS: readonly Dialect[] = ["openai", "azure"];
const SERVICE = "the service decides it";

/** Fields that a service has no place for, by the dialects that lack it and what to do instead. */
const FIELDS: Readonly<Record<string, readonly [lacks: readonly Dialect[], hint: string]>> = {
  "train.learning_rate": [PRESETS, "these services take a factor: set provider.learning_rate_multiplier"],
  "train.warmup_ratio": [PRESETS, SERVICE],
  "train.weight_decay": [PRESETS, SERVICE],
  "train.max_grad_norm": [PRESETS, SERVICE],
  "train.schedule": [["openai", "nebius", "azure"], SERVICE],
  "train.max_steps": [["openai", "nebius", "azure"], "set train.epochs"],
  "train.micro_tokens": [["openai", "nebius", "azure"], "it is about the memory of your own machine"],
  "train.checkpoint_seconds": [
    ["openai", "nebius", "azure"],
    "the service keeps a checkpoint for each epoch",
  ],
  "train.device": [["openai", "nebius", "azure"], "it is about your own machine"],
  "train.dtype": [["openai", "nebius", "azure"], "it is about your own machine"],
  "train.seed": [["nebius"], SERVICE],
  "evaluate.few_shot": [["openai", "nebius", "azure"], "remove it; before and after are scored"],
  "provider.learning_rate_multiplier": [["nebius"], "nebius takes train.learning_rate itself"],
  "provider.beta": [["nebius"], "nebius documents no training on preference pairs"],
  "provider.deploy_hint": [["openai", "nebius"], "only azure serves a model through a deployment"],
};

/** What a hosted service would have to ignore: refused, because nothing in the file may be without effect. */
export function hostedFindings(data: unknown): FieldProblem[] {
  const at = (path: string) => valueAt(data, path.split("."));
  if (at("provider.kind") !== "openai") return [];
  const dialect = at("provider.dialect") ?? "openai";
  if (dialect !== "openai" && dialect !== "nebius" && dialect !== "azure") return [];
  const lacking = Object.entries(FIELDS).flatMap(([path, [lacks, hint]]): FieldProblem[] =>
    at(path) === undefined || !lacks.includes(dialect) ? [] : [{
      path: path.split("."),
      at: "key",
      message: `Cannot honour ${path}: dialect ${dialect} has no such field`,
      hint,
    }]
  );
  return [...lacking, ...bounds(at, dialect), ...methodFindings(at, dialect), ...patternFindings(at)];
}

type At = (path: string) => unknown;

function bounds(at: At, dialect: Dialect): FieldProblem[] {
  const findings: FieldProblem[] = [];
  const refuse = (path: string, wanted: string) =>
    findings.push({
      path: path.split("."),
      at: "value",
      message: `Wrong value for ${path}: found ${at(path)}, dialect ${dialect} takes ${wanted}`,
    });
  const epochs = at("train.epochs");
  if (typeof epochs === "number" && !(Number.isInteger(epochs) && epochs <= 50)) {
    refuse("train.epochs", "a whole number from 1 to 50");
  }
  const batch = at("train.batch_size");
  if (typeof batch === "number" && batch > 256) refuse("train.batch_size", "at most 256");
  return findings;
}

/** Nebius trains by these very fields, so what it lacks would be another method. */
function methodFindings(at: At, dialect: Dialect): FieldProblem[] {
  if (dialect !== "nebius" || !isSection(at("method"))) return [];
  return ["target", "rslora"].filter((name) => at(`method.${name}`) !== undefined).map((name) => ({
    path: ["method", name],
    at: "key",
    message: `Cannot honour method.${name}: dialect nebius has no such field`,
    hint: "remove it; the service adapts all linear layers",
  }));
}

/** Without a trainer, answers are matched here, by JavaScript. */
function patternFindings(at: At): FieldProblem[] {
  const pattern = at("evaluate.pattern");
  return typeof pattern !== "string" || !isPythonOnly(pattern) ? [] : [{
    path: ["evaluate", "pattern"],
    at: "value",
    message: "Cannot use evaluate.pattern: it has groups or quantifiers that only Python knows",
    hint:
      "hosted models are scored without Python: leave out inline flags, atomic groups and possessive quantifiers",
  }];
}
