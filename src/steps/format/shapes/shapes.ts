import { UsageError } from "../../../lib/errors.ts";
import { flowYaml } from "../../../lib/text/yaml_text.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { nearest } from "../../../lib/text/nearest.ts";
import { FILTERS } from "../../../lib/text/template.ts";
import type { SourceOptions, Spec } from "../../../spec/schema/schema.ts";
import type { SourceEntry } from "../../../spec/rules/source_entries.ts";
import { adviceFor, type Item, quoted } from "./advice.ts";
import { alpaca } from "./alpaca.ts";
import { columns } from "./columns.ts";
import type { Shape } from "../conversation/conversation.ts";
import { isMeantAsList, parseJsonCell } from "./json_cell.ts";
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

/** How many rows of a file decide its format. */
export const SAMPLE_ROWS = 100;

export interface ChosenShape {
  readonly shape: Shape;
  /** The reason, as text. */
  readonly why: string;
}

/** How the pipeline file asks for rows to become conversations, and the field that does so. */
export interface Wanted {
  readonly format: Format;
  readonly columns?: SourceOptions["columns"];
  /** @default "dataset.format" */
  readonly formatPlace?: string;
  /** @default "dataset.columns" */
  readonly columnsPlace?: string;
}

/** What is said of a source: its own words before those of the whole dataset. */
export function wantedOf(dataset: Spec["dataset"], { path, options }: SourceEntry): Wanted {
  const columns = options.columns ?? dataset.columns;
  return {
    format: options.format ?? dataset.format,
    ...columns && { columns },
    ...options.format && { formatPlace: "its entry in the pipeline file" },
    ...options.columns && { columnsPlace: `the columns of "${path}"` },
  };
}

/**
 * The shape of a file's rows, from the pipeline file or from its first rows. `name`: what the file is called in
 * messages. `item`: where it stands, when the whole dataset's format is not to be that of this file.
 */
export function chooseShape(
  wanted: Wanted,
  name: string,
  sample: readonly JsonObject[],
  item?: Item,
): ChosenShape {
  if (wanted.format === "auto") return detect(name, sample, item);
  const why = `${wanted.formatPlace ?? "dataset.format"} says so`;
  if (wanted.format !== "columns") return { shape: BY_NAME[wanted.format], why };
  if (!wanted.columns) {
    throw new UsageError("columns-missing", `Cannot use format columns for ${name}: no columns are given`);
  }
  const shape = columns(wanted.columns);
  for (const field of shape.fields) {
    refuseUnknownField(wanted.columnsPlace ?? "dataset.columns", field, name, sample);
  }
  return { shape, why };
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
  const filters = field.includes("|") ? `; filters are ${FILTERS.join(" and ")}` : "";
  throw new UsageError(
    "field-unknown",
    `Cannot use ${place}: no row of ${name} has a field "${field}"${
      close ? `, did you mean "${close}"` : ""
    }`,
    { hint: `The rows have ${quoted(fields)}${filters}` },
  );
}

function detect(name: string, sample: readonly JsonObject[], item: Item | undefined): ChosenShape {
  const fits = SHAPES.map((shape) => ({ shape, rows: sample.filter((row) => fitsShape(shape, row)).length }))
    .filter(({ rows }) => rows > 0);
  const [only] = fits;
  if (only && fits.length === 1) {
    const share = only.rows === sample.length ? "" : `${only.rows} of `;
    const seen = sample.length === 1 ? "the first row has" : `${share}the first ${sample.length} rows have`;
    return { shape: only.shape, why: `${seen} ${only.shape.needs}` };
  }
  const what = `Cannot tell how the rows of ${name} become conversations`;
  if (fits.length > 0) throw severalShapes(what, fits, sample, item);
  const { found, hint } = adviceFor(sample, SHAPES, item);
  throw new UsageError("format-unknown", `${what}: ${found}`, { hint });
}

/** A cell that was meant as a list of messages has its shape, so that what is wrong with it is said row by row. */
function fitsShape(shape: Shape, row: JsonObject): boolean {
  if (shape.fits(row)) return true;
  const field = shape === messages ? "messages" : shape === sharegpt ? "conversations" : undefined;
  if (field === undefined || !Object.hasOwn(row, field)) return false;
  return isMeantAsList(row[field]) && !parseJsonCell(row[field]).ok;
}

/** Rows of several kinds, each of one; or rows that are several at once. */
function severalShapes(
  what: string,
  fits: readonly { readonly shape: Shape; readonly rows: number }[],
  sample: readonly JsonObject[],
  item: Item | undefined,
): UsageError {
  const counts = fits.map(({ shape, rows }) => `${shape.name} (${rows})`).join(" and ");
  const whole = fits.filter(({ rows }) => rows === sample.length).map(({ shape }) => shape.name);
  const say = (format: string) =>
    item ? flowYaml({ path: item.entry.path, ...item.entry.options, format }) : `format: ${format}`;
  const hint = whole.length > 0
    ? `Set it in ${item?.field ?? "dataset"}: ${whole.map(say).join(" or ")}`
    : "A file must contain one kind of row: put each kind into its own file, and each is recognised separately";
  return new UsageError("format-unknown", `${what}: its first ${sample.length} rows fit ${counts}`, { hint });
}

function fieldsOf(sample: readonly JsonObject[]): string[] {
  return [...new Set(sample.flatMap((row) => Object.keys(row)))];
}
