import type { FieldProblem } from "./field_problem.ts";
import { modelNameFault, previousName } from "./model_name.ts";
import { isSection, type Path, valueAt } from "../yaml/path.ts";
import { regexFault } from "./regex.ts";
import { templateFault } from "./row_template.ts";
import { isTemplateFile } from "./chat_template.ts";

/** Reads a field that may be missing or of the wrong type: the rules below see what the schema refused too. */
type Get = (path: string) => unknown;
type Rule = (get: Get) => FieldProblem[];

/**
 * Rules between fields. Each ignores what the schema already reports. `own`: the provider is not one
 * of temper's, so its fields mean what it says.
 */
export function crossField(data: unknown, own: boolean): FieldProblem[] {
  const get: Get = (path) => valueAt(data, path.split("."));
  const rules = [templates, evalAndSplit, splitCount, patternAndMetric, evaluationRows];
  const ofProvider = [exportOptions, prefixOfLayers, servedName, prefixAndTemplate, optimizerOfFull];
  return (own ? rules : [...rules, ...ofProvider]).flatMap((rule) => rule(get));
}

const templates: Rule = (get) =>
  (["system", "user", "assistant"] as const).flatMap((name) => {
    const path = `dataset.columns.${name}`;
    const text = get(path);
    if (typeof text !== "string" || text === "") return [];
    const fault = templateFault(text, name !== "system");
    return fault === undefined ? [] : [on("value", path, `Invalid template in ${path}: ${fault}`)];
  });

const evalAndSplit: Rule = (get) => {
  if (get("dataset.eval") === undefined || get("dataset.split") === undefined) return [];
  return [
    on(
      "key",
      "dataset.split",
      "Conflicting key dataset.split: dataset.eval already names the rows held out",
      {
        hint: "keep one of the two",
      },
    ),
  ];
};

const splitCount: Rule = (get) => {
  const rows = get("dataset.split.eval");
  if (typeof rows !== "number" || !(rows >= 1) || Number.isInteger(rows)) return [];
  return [
    on(
      "value",
      "dataset.split.eval",
      `Wrong value for dataset.split.eval: found ${rows}, expected whole rows`,
      {
        hint: "1 or more is a number of rows, below 1 a fraction",
      },
    ),
  ];
};

const patternAndMetric: Rule = (get) => {
  const metric = get("evaluate.metric");
  const pattern = get("evaluate.pattern");
  if (metric === "regex" && pattern === undefined) {
    return [missing("evaluate.metric", 'Missing key "pattern" in evaluate: evaluate.metric is regex', {
      hint: 'add pattern: "^{{ expected }}"',
      path: ["evaluate", "pattern"],
    })];
  }
  if (pattern !== undefined && metric !== "regex" && (metric === undefined || typeof metric === "string")) {
    const now = metric ?? "not set, so exact_match";
    return [on("key", "evaluate.pattern", `Unused key "pattern" in evaluate: evaluate.metric is ${now}`, {
      hint: "set evaluate.metric: regex, or remove it",
      ...metric === undefined && { absence: true as const },
    })];
  }
  const fault = typeof pattern === "string" ? regexFault(pattern) : undefined;
  if (fault === undefined) return [];
  return [on("value", "evaluate.pattern", `Invalid regular expression in evaluate.pattern: ${fault}`)];
};

const evaluationRows: Rule = (get) => {
  const evaluate = get("evaluate");
  const metric = get("evaluate.metric");
  const unused = ["few_shot", "reasoning"].find((name) => get(`evaluate.${name}`) !== undefined);
  if (metric === "none" && unused !== undefined) {
    return [
      on(
        "key",
        `evaluate.${unused}`,
        `Unused key evaluate.${unused}: evaluate.metric is none, so it has no score`,
        { hint: `choose a metric, or remove ${unused}` },
      ),
    ];
  }
  if (!isSection(get("dataset")) || get("dataset.eval") !== undefined) return [];
  if (get("dataset.split") !== undefined || !isSection(evaluate)) return [];
  if (Object.keys(evaluate).every((key) => key === "metric") && (metric ?? "none") === "none") return [];
  return [on("key", "evaluate", "Nothing to evaluate: the dataset has neither eval nor split", {
    hint: "add dataset.split: {eval: 0.1}, or remove this section",
    absence: true,
  })];
};

const exportOptions: Rule = (get) => {
  if (get("provider.export.gguf") !== false) return [];
  const findings: FieldProblem[] = [];
  if (get("provider.kind") === "ollama") {
    findings.push(
      on(
        "value",
        "provider.export.gguf",
        "Conflicting value of provider.export.gguf: Ollama serves a GGUF file",
        {
          hint: "set it to true, or provider.kind to local",
        },
      ),
    );
  }
  if (get("provider.export.quantization") !== undefined) {
    findings.push(
      on(
        "key",
        "provider.export.quantization",
        "Unused key provider.export.quantization: provider.export.gguf is false",
        {
          hint: "remove one of the two",
        },
      ),
    );
  }
  return findings;
};

/** Keys and values of every layer have no place in a model file: neither GGUF nor Hugging Face. */
const prefixOfLayers: Rule = (get) => {
  if (get("method.kind") !== "prefix" || get("method.placement") !== "layers") return [];
  const ollama = get("provider.kind") === "ollama";
  const gguf = ollama || get("provider.kind") === "local" && (get("provider.export.gguf") ?? true) === true;
  const findings: FieldProblem[] = [];
  if (gguf) {
    const what = ollama
      ? "Ollama serves a GGUF file, which"
      : "provider.export.gguf is true, and a GGUF file";
    findings.push(
      on(
        "value",
        "method.placement",
        `Conflicting value of method.placement: ${what} cannot contain keys and values of every layer`,
        {
          hint: ollama
            ? "set it to input, or provider.kind to local and provider.export.gguf to false"
            : "set it to input, or provider.export.gguf to false",
        },
      ),
    );
  }
  if (get("provider.export.merged") === true) {
    findings.push(
      on(
        "value",
        "provider.export.merged",
        "Conflicting value of provider.export.merged: method.placement is layers, and a merged model cannot contain " +
          "keys and values of every layer",
        { hint: "remove it, or set method.placement to input" },
      ),
    );
  }
  return findings;
};

/** What Ollama would refuse when everything else is done. */
const servedName: Rule = (get) => {
  const name = get("provider.model");
  if (get("provider.kind") !== "ollama" || typeof name !== "string" || name === "") return [];
  const fault = modelNameFault(name);
  const hint = "[HOST/][NAMESPACE/]MODEL[:TAG], such as home-lora or team/home:v2";
  if (fault !== undefined) {
    return [on("value", "provider.model", `Wrong value for provider.model: ${fault}`, { hint })];
  }
  const previous = previousName(name);
  if (get("provider.keep_previous") !== true || modelNameFault(previous) === undefined) return [];
  return [
    on(
      "value",
      "provider.model",
      `Name too long for provider.keep_previous: "${previous}" must also be a valid name`,
      {
        hint: "use a shorter name, or remove keep_previous",
      },
    ),
  ];
};

/** The tokens of a prefix come before the text of a linear template: a file may begin with anything. */
const prefixAndTemplate: Rule = (get) => {
  const template = get("provider.template");
  if (get("method.kind") !== "prefix" || typeof template !== "string" || !isTemplateFile(template)) return [];
  const message =
    "Conflicting value of provider.template: method.kind is prefix, which needs one of temper's own templates";
  return [on("value", "provider.template", message, { hint: "set it to auto or a name such as chatml" })];
};

/** Of few trained numbers the moments take hardly any memory. */
const optimizerOfFull: Rule = (get) => {
  const kind = get("method.kind");
  if (get("train.optimizer") !== "adamw_8bit" || typeof kind !== "string" || kind === "full") return [];
  const message =
    `Conflicting value of train.optimizer: method.kind is ${kind}, which trains few parameters: 8 bits for their moments would save nothing`;
  return [on("value", "train.optimizer", message, { hint: "remove it, or set method.kind to full" })];
};

interface More {
  readonly hint?: string;
  readonly absence?: true;
}

function on(at: FieldProblem["at"], path: string, message: string, more: More = {}): FieldProblem {
  return { path: path.split("."), at, message, ...more };
}

/** A key whose absence contradicts the value at `path`, which is what the carets mark. */
function missing(path: string, message: string, more: { hint: string; path: Path }): FieldProblem {
  return { path: more.path, mark: path.split("."), at: "value", message, hint: more.hint, absence: true };
}
