import { UsageError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { nearest } from "../../lib/nearest.ts";
import type { Spec } from "../../spec/schema.ts";
import { alpaca } from "./alpaca.ts";
import { columns } from "./columns.ts";
import type { Shape } from "./conversation.ts";
import { messages } from "./messages.ts";
import { preference } from "./preference.ts";
import { promptCompletion } from "./prompt_completion.ts";
import { sharegpt } from "./sharegpt.ts";

type Format = Spec["dataset"]["format"];

/** The shapes that rows show by themselves. `columns` needs templates to be one. */
const BY_NAME: { readonly [F in Exclude<Format, "auto" | "columns">]: Shape } = {
  messages,
  "prompt-completion": promptCompletion,
  preference,
  alpaca,
  sharegpt,
};
const SHAPES = Object.values(BY_NAME);

/** How many rows decide what a data set is. */
export const SAMPLE_ROWS = 100;

export interface Choice {
  readonly shape: Shape;
  /** Why this one, in words. */
  readonly why: string;
}

/** The shape of a data set, from the pipeline file or from its first rows. `name`: dataset.source or dataset.eval. */
export function chooseShape(dataset: Spec["dataset"], name: string, sample: readonly JsonObject[]): Choice {
  if (dataset.format === "auto") return detect(name, sample);
  if (dataset.format !== "columns") {
    return { shape: BY_NAME[dataset.format], why: "dataset.format names it" };
  }
  if (!dataset.columns) {
    throw new UsageError(
      "columns-missing",
      "Cannot use dataset.format columns: dataset.columns is not given",
    );
  }
  const shape = columns(dataset.columns);
  for (const field of shape.fields) refuseUnknownField(`dataset.columns`, field, name, sample);
  return { shape, why: "dataset.format names it" };
}

/** A field that no row of the sample has is a slip of the pen in the pipeline file, not one of the rows. */
export function refuseUnknownField(
  place: string,
  field: string,
  name: string,
  sample: readonly JsonObject[],
): void {
  if (sample.some((row) => Object.hasOwn(row, field))) return;
  const fields = fieldsOf(sample);
  const close = nearest(field, fields);
  throw new UsageError(
    "field-unknown",
    `Cannot use ${place}: no row of ${name} has a field "${field}"${
      close ? `, did you mean "${close}"` : ""
    }`,
    { hint: `The rows have ${quoted(fields)}` },
  );
}

function detect(name: string, sample: readonly JsonObject[]): Choice {
  const fits = SHAPES.map((shape) => ({ shape, rows: sample.filter((row) => shape.fits(row)).length }))
    .filter(({ rows }) => rows > 0);
  const [only] = fits;
  if (only && fits.length === 1) {
    const share = only.rows === sample.length ? "" : `${only.rows} of `;
    const seen = sample.length === 1 ? "the first row has" : `${share}the first ${sample.length} rows have`;
    return { shape: only.shape, why: `${seen} ${only.shape.needs}` };
  }
  const fields = fieldsOf(sample);
  const found = fits.length === 0
    ? `its first rows have the fields ${quoted(fields)}, which fit no known format`
    : `its first ${sample.length} rows fit ${
      fits.map(({ shape, rows }) => `${shape.name} (${rows})`).join(" and ")
    }`;
  const needs = SHAPES.map(({ name, needs, options }) =>
    `${name}: ${needs}${options ? `, and if there ${options}` : ""}`
  ).join("\n  ");
  throw new UsageError(
    "format-unknown",
    `Cannot tell how the rows of ${name} become conversations: ${found}\n  ${needs}`,
    {
      hint: fits.length === 0 ? columnsHint(fields) : "Say which in dataset.format",
    },
  );
}

function columnsHint(fields: readonly string[]): string {
  const [user = "question", assistant = "answer"] = fields;
  return "For other fields set dataset.format: columns and, for example, " +
    `dataset.columns: {user: "{{ ${user} }}", assistant: "{{ ${assistant} }}"}`;
}

function fieldsOf(sample: readonly JsonObject[]): string[] {
  return [...new Set(sample.flatMap((row) => Object.keys(row)))];
}

function quoted(fields: readonly string[]): string {
  if (fields.length === 0) return "no fields";
  const shown = fields.slice(0, 12).map((field) => `"${field}"`).join(", ");
  return fields.length > 12 ? `${shown} and ${fields.length - 12} more` : shown;
}
