import { join } from "../../../deps/path.ts";
import { TemperError, UsageError } from "../../../lib/errors.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import { entryPath } from "../../../spec/rules/source_entries.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import type { Path } from "../../../spec/yaml/path.ts";
import type { SourceFile } from "../../extract/source_file.ts";
import { resolveSources, type SetName, type Source } from "../../extract/sources.ts";
import type { DataContext } from "../../step.ts";
import { DatasetError, type DatasetFault, ShapeError } from "../dataset_error.ts";
import type { Item } from "./advice.ts";
import { Roles } from "./roles.ts";
import { firstRows } from "../source_rows.ts";
import { chooseShape, type ChosenShape, SAMPLE_ROWS, unknownFields, wantedOf } from "./shapes.ts";

type Dataset = Spec["dataset"];

export const ROW_FILES: { readonly [S in SetName]: string } = { train: "rows.jsonl", eval: "eval.jsonl" };

/** How the rows of one file become conversations. */
export interface FileShape extends ChosenShape {
  readonly label: string;
  readonly roles: Roles | undefined;
}

/** The same for the files of a set, and in words for the set as a whole. */
export class SetShapes {
  readonly #files: ReadonlyMap<string, FileShape>;
  readonly shape: { readonly name: string };
  readonly why: string;

  constructor(files: readonly FileShape[]) {
    this.#files = new Map(files.map((file) => [file.label, file]));
    this.shape = { name: [...new Set(files.map(({ shape }) => shape.name))].join(" and ") };
    this.why = whyOf(files);
  }

  get size(): number {
    return this.#files.size;
  }

  /** `undefined` for a file without rows. */
  find(label: string): FileShape | undefined {
    return this.#files.get(label);
  }

  of(label: string): FileShape {
    const found = this.find(label);
    if (!found) throw new RangeError(`Cannot read a row of "${label}": it is no source of the set`);
    return found;
  }
}

export interface DatasetShapes {
  readonly train: SetShapes;
  readonly eval?: SetShapes;
  /** Of both sets, with what the pipeline file calls them and where it has them. */
  readonly roles: ReadonlyMap<Roles, RolesPlace>;
}

/** A file that nobody can decide for: how that is said of the file, and of the dataset as a whole. */
interface Failure {
  readonly ofFile: TemperError;
  readonly ofAll: TemperError;
  readonly fault: Omit<DatasetFault, "message" | "hint">;
}

/** Decides for each file of both sets, and reports all undecidable ones at once. */
export async function chooseShapes(
  context: DataContext,
  sources: readonly SourceFile[],
): Promise<DatasetShapes> {
  const resolved = await resolveSources(context.loaded, context.fs);
  const failures: Failure[] = [];
  const roles = new RolesOf(context.loaded.spec.dataset);
  const choose = async (set: SetName) => {
    const files = sources.filter((source) => source.set === set);
    return files.length > 0 ? await chooseSet(context, set, files, resolved, roles, failures) : undefined;
  };
  const train = await choose("train") ?? new SetShapes([]);
  const evaluation = await choose("eval");
  if (failures.length > 0) throw refusalOf(failures, train.size + (evaluation ? evaluation.size : 0));
  return { train, ...evaluation && { eval: evaluation }, roles: roles.all };
}

/** Where the same words help all files, they are said of the dataset. `chosen`: how many files need none. */
function refusalOf(failures: readonly Failure[], chosen: number): TemperError {
  const together = chosen === 0 && new Set(failures.map(({ ofAll }) => ofAll.hint)).size === 1;
  const errors = failures.map(({ ofFile, ofAll }) => together ? ofAll : ofFile);
  const [first] = errors as [TemperError];
  const hints = [...new Set(errors.flatMap(({ hint }) => hint ?? []))];
  const faults = failures.map(({ fault }, i): DatasetFault => {
    const { message, hint } = errors[i] as TemperError;
    return { ...fault, message, hint };
  });
  return new DatasetError(
    first.code,
    errors.map(({ message }) => message).join("\n"),
    hints.length === 0 ? undefined : hints.join("\n"),
    faults,
  );
}

async function chooseSet(
  context: DataContext,
  set: SetName,
  files: readonly SourceFile[],
  resolved: readonly Source[],
  roles: RolesOf,
  failures: Failure[],
): Promise<SetShapes> {
  const { fs, loaded: { spec: { dataset } } } = context;
  const path = join(context.input("extract"), ROW_FILES[set]);
  const samples = await firstRows(path, fs, files.map(({ rows }) => rows), SAMPLE_ROWS);
  const field = set === "train" ? "dataset.source" : "dataset.eval";
  const shapes: FileShape[] = [];
  for (const [i, { path: label, rows }] of files.entries()) {
    if (rows === 0) continue;
    const source = sourceNamed(label, set, resolved);
    const name = files.length === 1 ? field : JSON.stringify(label);
    const choose = (item?: Item) =>
      chooseShape(wantedOf(dataset, source.entry), name, samples[i] as JsonObject[], item);
    try {
      shapes.push({ ...choose(), label, roles: roles.of(source) });
    } catch (ofAll) {
      if (!(ofAll instanceof TemperError)) throw ofAll;
      const ofFile = errorOf(() => choose({ field, entry: source.entry })) ?? ofAll;
      failures.push({ ofAll, ofFile, fault: faultOf(ofAll, source, dataset) });
    }
  }
  const sample = samples.flat();
  // Where no row can be read, none says what the rows have.
  if (set === "train" && sample.length > 0) failures.push(...splitFailures(dataset, field, sample));
  return new SetShapes(shapes);
}

/** Where the pipeline file says how the rows of a file are read, and what it may have meant. */
function faultOf(error: TemperError, source: Source, dataset: Dataset): Failure["fault"] {
  const { entry } = source;
  const path = placeOf(source, dataset);
  if (!(error instanceof ShapeError)) return { path, at: "value" };
  const { field, meant } = error;
  const own = entry.options[field[0]] !== undefined;
  const said = own ? [...path, ...field] : field[0] === "columns" ? ["dataset", ...field] : path;
  return {
    path: said,
    at: "value",
    ...meant && { meant: { path, value: { path: entry.path, ...entry.options, ...meant } } },
  };
}

function placeOf({ set, entry }: Source, { source, eval: evaluation }: Dataset): Path {
  const sources = set === "eval"
    ? evaluation
    : typeof source === "object" && "sql" in source
    ? undefined
    : source;
  return entryPath(set, sources, entry.path);
}

function splitFailures({ split }: Dataset, name: string, sample: readonly JsonObject[]): Failure[] {
  if (split?.by === undefined) return [];
  const unknown = unknownFields("dataset.split.by", [split.by], name, sample);
  if (!unknown) return [];
  const { message, hint, close } = unknown;
  const error = new UsageError("field-unknown", message, { hint });
  const { by, ...rest } = split;
  const value = close ? { ...rest, by: close.get(by) } : rest;
  const fault = {
    path: ["dataset", "split", "by"],
    at: "value" as const,
    meant: { path: ["dataset", "split"], value },
  };
  return [{ ofAll: error, ofFile: error, fault }];
}

function errorOf(action: () => unknown): TemperError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof TemperError) return error;
    throw error;
  }
}

/** What messages call the roles, and where the pipeline file has them. */
export interface RolesPlace {
  readonly name: string;
  readonly path: Path;
}

/** The roles of sources; sources of one entry share theirs. */
class RolesOf {
  readonly #dataset: Dataset;
  readonly #shared: Roles | undefined;
  readonly #own = new Map<Source["entry"], Roles>();
  readonly all = new Map<Roles, RolesPlace>();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
    this.#shared = dataset.roles && new Roles(dataset.roles);
  }

  of(source: Source): Roles | undefined {
    const { entry } = source;
    if (!entry.options.roles) {
      if (this.#shared) this.all.set(this.#shared, { name: "dataset.roles", path: ["dataset", "roles"] });
      return this.#shared;
    }
    const roles = this.#own.get(entry) ?? new Roles(entry.options.roles);
    this.#own.set(entry, roles);
    const path = [...placeOf(source, this.#dataset), "roles"];
    this.all.set(roles, { name: `roles of "${entry.path}"`, path });
    return roles;
  }
}

function sourceNamed(label: string, set: SetName, resolved: readonly Source[]): Source {
  const found = resolved.find((source) => source.set === set && source.label === label);
  if (found) return found;
  throw new UsageError(
    "source-changed",
    `Cannot use the dataset: "${label}" has disappeared since it was read`,
    {
      hint: "Run the pipeline again once its files no longer change",
    },
  );
}

/** Of each shape the first file's reason, and how many more there are. */
function whyOf(files: readonly FileShape[]): string {
  const reasons = new Set(files.map(({ why }) => why));
  if (reasons.size === 1) return [...reasons][0] as string;
  const byShape = Map.groupBy(files, ({ shape }) => shape.name);
  return [...byShape.values()].map(([first, ...others]) => {
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    return `${first?.label}${more}: ${first?.why}`;
  }).join("; ");
}
