import { UsageError } from "../../../lib/errors.ts";
import { flowYaml } from "../../../lib/text/yaml_text.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { nearest } from "../../../lib/text/nearest.ts";
import { FILTERS, parseTemplate, renameFields, templateFields } from "../../../lib/text/template.ts";
import type { SourceOptions, Spec } from "../../../spec/schema/schema.ts";
import type { SourceEntry } from "../../../spec/rules/source_entries.ts";
import { adviceFor, type Item, quoted } from "./advice.ts";
import { ShapeError } from "../dataset_error.ts";
import { alpaca } from "./alpaca.ts";
import { columns } from "./columns.ts";
import type { Shape } from "../conversation/conversation.ts";
import { isMeantAsList, parseJsonCell } from "./json_cell.ts";
import { messages } from "./messages.ts";
import { preference } from "./preference.ts";
import { promptCompletion } from "./prompt_completion.ts";
import { sharegpt } from "./sharegpt.ts";

type Format = Spec["dataset"]["format"];
type Columns = NonNullable<SourceOptions["columns"]>;

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
  const unknown = unknownFields(wanted.columnsPlace ?? "dataset.columns", shape.fields, name, sample);
  if (!unknown) return { shape, why };
  const { message, hint, close } = unknown;
  const renamed = close && renamedColumns(wanted.columns, close);
  const role = roleNaming(unknown.first, wanted.columns);
  throw new ShapeError("field-unknown", message, hint, ["columns", role], renamed && { columns: renamed });
}

/** Fields that no row has, in words. */
export interface UnknownFields {
  readonly message: string;
  readonly hint: string;
  readonly first: string;
  /** The name that each was meant to be; undefined where one of them is near to none. */
  readonly close: ReadonlyMap<string, string> | undefined;
}

/** Fields that no row of the sample has are slips of the pen in the pipeline file, not in the rows. */
export function unknownFields(
  place: string,
  named: readonly string[],
  name: string,
  sample: readonly JsonObject[],
): UnknownFields | undefined {
  const unknown = named.filter((field) => !sample.some((row) => Object.hasOwn(row, field)));
  const [first] = unknown;
  if (first === undefined) return undefined;
  const fields = fieldsOf(sample);
  const close = new Map(unknown.flatMap((field) => {
    const found = nearest(field, fields);
    return found === undefined ? [] : [[field, found]];
  }));
  const words = unknown.map((field) =>
    `"${field}"${close.has(field) ? `, did you mean "${close.get(field)}"` : ""}`
  );
  const filters = unknown.some((field) => field.includes("|"))
    ? `; filters are ${FILTERS.join(" and ")}`
    : "";
  return {
    message: `Cannot use ${place}: no row of ${name} has a field ${words.join("; nor ")}`,
    hint: `The rows have ${quoted(fields)}${filters}`,
    first,
    close: close.size === unknown.length ? close : undefined,
  };
}

/** Whose template names the field. */
function roleNaming(field: string, columns: Columns): keyof Columns {
  const roles = ["user", "assistant", "system"] as const;
  return roles.find((role) => templateFields(parseTemplate(columns[role] ?? "")).includes(field)) ?? "user";
}

function renamedColumns(columns: Columns, names: ReadonlyMap<string, string>): Columns {
  const rename = (text: string) => renameFields(parseTemplate(text), names);
  return {
    user: rename(columns.user),
    assistant: rename(columns.assistant),
    ...columns.system !== undefined && { system: rename(columns.system) },
  };
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
  const { found, hint, columns } = adviceFor(sample, SHAPES, item);
  const meant = columns && { format: "columns" as const, columns };
  throw new ShapeError("format-unknown", `${what}: ${found}`, hint, ["format"], meant);
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
): ShapeError {
  const counts = fits.map(({ shape, rows }) => `${shape.name} (${rows})`).join(" and ");
  const whole = fits.filter(({ rows }) => rows === sample.length).map(({ shape }) => shape.name);
  const say = (format: string) =>
    item ? flowYaml({ path: item.entry.path, ...item.entry.options, format }) : `format: ${format}`;
  const hint = whole.length > 0
    ? `Set it in ${item?.field ?? "dataset"}: ${whole.map(say).join(" or ")}`
    : "A file must contain one kind of row: put each kind into its own file, and each is recognised separately";
  const found = `${what}: its first ${sample.length} rows fit ${counts}`;
  return new ShapeError("format-unknown", found, hint, ["format"], undefined);
}

function fieldsOf(sample: readonly JsonObject[]): string[] {
  return [...new Set(sample.flatMap((row) => Object.keys(row)))];
}
