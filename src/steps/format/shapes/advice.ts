import { blockYaml } from "../../../lib/text/yaml_text.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import type { SourceEntry } from "../../../spec/rules/source_entries.ts";
import type { Shape } from "../conversation/conversation.ts";
import { type Field, fieldFacts, kindWords } from "./field_facts.ts";
import { type Proposal, proposeColumns } from "./propose_columns.ts";

/** A file beside others, which has a format of its own. */
export interface Item {
  /** dataset.source or dataset.eval. */
  readonly field: string;
  readonly entry: SourceEntry;
}

/** What the rows contain instead of a known format, and how to describe them in the pipeline file. */
export interface Advised {
  readonly found: string;
  readonly hint: string;
  /** Templates that may be the right ones. */
  readonly columns?: Proposal["columns"];
}

/** The fields that make a shape what it is. */
const MARKS: readonly {
  readonly shape: string;
  readonly fields: readonly string[];
  readonly kind: string;
}[] = [
  { shape: "messages", fields: ["messages"], kind: "a list of {role, content}" },
  { shape: "sharegpt", fields: ["conversations"], kind: "a list of {from, value}" },
  { shape: "preference", fields: ["prompt", "chosen", "rejected"], kind: "a text" },
  { shape: "prompt-completion", fields: ["prompt", "completion"], kind: "a text" },
  { shape: "alpaca", fields: ["instruction", "output"], kind: "a text" },
];

/** For rows that fit no shape. */
export function adviceFor(
  sample: readonly JsonObject[],
  shapes: readonly Shape[],
  item: Item | undefined,
): Advised {
  const fields = fieldFacts(sample);
  const near = MARKS.find((mark) => mark.fields.every((name) => fields.some((field) => field.name === name)));
  const found = near ? nearMiss(near, fields) : unknownFields(fields, shapes);
  const proposal = proposeColumns(fields);
  if (proposal) {
    const { columns, notes } = proposal;
    return { found, hint: [pasteable(columns, item), ...notes].join("\n"), columns };
  }
  return {
    found,
    hint: near && near.kind !== "a text"
      ? `Give "${near.fields[0]}" as ${near.kind}`
      : withoutProposal(fields),
  };
}

function nearMiss({ shape, fields: names, kind }: (typeof MARKS)[number], fields: readonly Field[]): string {
  const wrong = names.flatMap((name) => {
    const field = fields.find((field) => field.name === name) as Field;
    return field.isText && kind === "a text" ? [] : [`${kindWords(field)}, not ${kind}`];
  });
  return `they have the fields of ${shape}, but ${wrong.join("; ")}`;
}

function unknownFields(fields: readonly Field[], shapes: readonly Shape[]): string {
  if (fields.length === 0) return "they have no fields";
  const needs = shapes.map(({ name, needs, options }) =>
    `${name}: ${needs}${options ? `, and if there ${options}` : ""}`
  );
  const kinds = fields.slice(0, 12).map((field) =>
    `"${field.name}"${field.isText ? "" : ` (${[...field.kinds.keys()].join(", ")})`}`
  );
  const more = fields.length > 12 ? ` and ${fields.length - 12} more` : "";
  return `they have the fields ${kinds.join(", ")}${more}, which match no known format\n  ${
    needs.join("\n  ")
  }`;
}

/** Lines to be put into the pipeline file as they are. Short ones, because a terminal breaks what is longer than it. */
function pasteable(columns: Proposal["columns"], item: Item | undefined): string {
  const settings: JsonObject = { format: "columns", columns: { ...columns } as JsonObject };
  if (!item) {
    return ["If these are the right fields, add to dataset:", ...blockYaml(settings, "  ")].join("\n");
  }
  const { field, entry: { path, options } } = item;
  const [first, ...rest] = blockYaml({ path, ...options, ...settings }, "    ");
  const head = `If these are the right fields, list the file in ${field} like this:`;
  return [head, `  - ${first?.trimStart()}`, ...rest].join("\n");
}

function withoutProposal(fields: readonly Field[]): string {
  const texts = fields.filter(({ isText }) => isText).map(({ name }) => name);
  if (texts.length > 1) {
    return "Name the fields of the input (user) and the answer (assistant) in dataset.columns, with format: columns " +
      `and templates such as "{{ ${texts[0]} }}"; texts in every row are ${quoted(texts)}`;
  }
  const what = texts.length === 1 ? `Only "${texts[0]}" is a text in every row: there` : "There";
  return `${what} is no field with an answer to learn. Plain text without answers (continued pre-training) is not ` +
    "supported: give each row an input and an answer, in fields of their own";
}

/** Names in quotes, the first dozen of them. */
export function quoted(names: readonly string[]): string {
  if (names.length === 0) return "no fields";
  const shown = names.slice(0, 12).map((name) => `"${name}"`).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
