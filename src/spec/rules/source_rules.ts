import type { FieldProblem } from "./field_problem.ts";
import { dotted, isSection, type Path, valueAt } from "../yaml/path.ts";
import { givenEntries, type GivenEntry } from "./source_entries.ts";
import { templateFault } from "./row_template.ts";
import { isRowFormat } from "./row_formats.ts";
import { found } from "../schema/value_text.ts";

const TABLE_KEYS = ["delimiter", "quote"] as const;

/** Rules for the options in the entries of dataset.source and dataset.eval. */
export function sourceRules(data: unknown): FieldProblem[] {
  const entries = [...givenEntries(data, ["dataset", "source"]), ...givenEntries(data, ["dataset", "eval"])];
  return [
    ...datasetColumns(data, entries),
    ...entries.flatMap((entry) => [
      ...entryColumns(data, entry),
      ...entryTemplates(entry),
      ...encoding(entry),
      ...table(entry),
      ...entryRoles(data, entry),
    ]),
    ...datasetRoles(data, entries),
  ];
}

/** `undefined` where the value is none that the schema takes. */
function formatOf(data: unknown, entry: GivenEntry): string | undefined {
  const format = own(entry, "format") ?? valueAt(data, ["dataset", "format"]) ?? "auto";
  return isRowFormat(format) ? format : undefined;
}

function own(entry: GivenEntry, key: string): unknown {
  return isSection(entry.value) ? entry.value[key] : undefined;
}

function datasetColumns(data: unknown, entries: readonly GivenEntry[]): FieldProblem[] {
  const format = valueAt(data, ["dataset", "format"]);
  const columns = valueAt(data, ["dataset", "columns"]);
  const open = entries.filter((entry) =>
    formatOf(data, entry) === "columns" && own(entry, "columns") === undefined
  );
  if (format === "columns" && columns === undefined && (open.length > 0 || entries.length === 0)) {
    return [{
      path: ["dataset", "columns"],
      mark: ["dataset", "format"],
      at: "value",
      message: 'Missing key "columns" in dataset: dataset.format is columns',
      hint: 'add columns: {user: "{{ question }}", assistant: "{{ answer }}"}',
      absence: true,
    }];
  }
  if (columns === undefined || format === "columns" || open.length > 0) return [];
  if (format !== undefined && !isRowFormat(format)) return [];
  return [{
    path: ["dataset", "columns"],
    at: "key",
    message: `Unused key "columns" in dataset: dataset.format is ${format ?? "not set, so auto"}`,
    hint: "set dataset.format: columns, or remove it",
    ...format === undefined && { absence: true as const },
  }];
}

function entryColumns(data: unknown, entry: GivenEntry): FieldProblem[] {
  const format = own(entry, "format");
  const columns = own(entry, "columns");
  const name = dotted(entry.at);
  if (format === "columns" && columns === undefined && valueAt(data, ["dataset", "columns"]) === undefined) {
    return [{
      path: [...entry.at, "columns"],
      mark: [...entry.at, "format"],
      at: "value",
      message: `Missing key "columns" in ${name}: its format is columns`,
      hint: 'add columns: {user: "{{ question }}", assistant: "{{ answer }}"}',
      absence: true,
    }];
  }
  const now = formatOf(data, entry);
  if (columns === undefined || now === "columns" || now === undefined) return [];
  return [{
    path: [...entry.at, "columns"],
    at: "key",
    message: `Unused key "columns" in ${name}: its format is ${now}`,
    hint: "add format: columns, or remove it",
  }];
}

function entryTemplates(entry: GivenEntry): FieldProblem[] {
  const columns = own(entry, "columns");
  if (!isSection(columns)) return [];
  return (["system", "user", "assistant"] as const).flatMap((name) => {
    const text = columns[name];
    const fault = typeof text === "string" && text !== ""
      ? templateFault(text, name !== "system")
      : undefined;
    const path = [...entry.at, "columns", name];
    return fault === undefined
      ? []
      : [{ path, at: "value" as const, message: `Invalid template in ${dotted(path)}: ${fault}` }];
  });
}

function encoding(entry: GivenEntry): FieldProblem[] {
  const label = own(entry, "encoding");
  if (typeof label !== "string" || label === "" || isEncoding(label)) return [];
  return [{
    path: [...entry.at, "encoding"],
    at: "value",
    message: `Wrong value for ${dotted([...entry.at, "encoding"])}: found ${
      found(label)
    }, not a known encoding`,
    hint: "such as utf-8, utf-16, windows-1252, iso-8859-15, shift_jis, gb18030",
  }];
}

function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Delimiters and quotes: characters that tell cells apart, of files that have cells. */
function table(entry: GivenEntry): FieldProblem[] {
  const given = TABLE_KEYS.filter((key) => own(entry, key) !== undefined);
  const at = (key: string): Path => [...entry.at, key];
  if (/\.jsonl?$/i.test(entry.path ?? "")) {
    return given.map((key) => ({
      path: at(key),
      at: "key",
      message: `Unused key "${key}" in ${dotted(entry.at)}: JSON has none`,
      hint: "remove it",
    }));
  }
  const findings = given.filter((key) => /^[\r\n]$/.test(String(own(entry, key)))).map((
    key,
  ): FieldProblem => ({
    path: at(key),
    at: "value",
    message: `Wrong value for ${dotted(at(key))}: a line break ends a row`,
  }));
  const { delimiter, quote } = { delimiter: own(entry, "delimiter"), quote: own(entry, "quote") };
  if (delimiter !== undefined && delimiter === quote) {
    findings.push({
      path: at("quote"),
      at: "value",
      message: `Conflicting value of ${dotted(at("quote"))}: it is the delimiter too`,
    });
  }
  return findings;
}

/** Formats whose rows name no speakers. */
const WITHOUT_SPEAKERS = ["alpaca", "columns"];

function entryRoles(data: unknown, entry: GivenEntry): FieldProblem[] {
  const format = formatOf(data, entry);
  if (own(entry, "roles") === undefined || !WITHOUT_SPEAKERS.includes(format ?? "")) return [];
  return [{
    path: [...entry.at, "roles"],
    at: "key",
    message: `Unused key "roles" in ${dotted(entry.at)}: format ${format} has no speaker names`,
    hint: "remove it",
  }];
}

function datasetRoles(data: unknown, entries: readonly GivenEntry[]): FieldProblem[] {
  const path = ["dataset", "roles"];
  if (valueAt(data, path) === undefined || entries.length === 0) return [];
  const formats = entries.map((entry) => formatOf(data, entry) ?? "");
  if (!formats.every((format) => WITHOUT_SPEAKERS.includes(format))) return [];
  const message = `Unused key "roles" in dataset: format ${formats[0]} has no speaker names`;
  return [{ path, at: "key", message, hint: "remove it" }];
}
