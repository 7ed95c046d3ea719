import { join } from "../../../deps/path.ts";
import { TemperError, UsageError } from "../../../lib/errors.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import type { SourceFile } from "../../extract/source_file.ts";
import { resolveSources, type SetName, type Source } from "../../extract/sources.ts";
import type { StepContext } from "../../step.ts";
import type { Item } from "./advice.ts";
import { Roles } from "./roles.ts";
import { firstRows } from "../source_rows.ts";
import { chooseShape, type ChosenShape, refuseUnknownField, SAMPLE_ROWS, wantedOf } from "./shapes.ts";

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
  /** Of both sets, with what the pipeline file calls them. */
  readonly roles: ReadonlyMap<Roles, string>;
}

/** A file that nobody can decide for: how that is said of the file, and of the dataset as a whole. */
interface Failure {
  readonly ofFile: TemperError;
  readonly ofAll: TemperError;
}

/** Decides for each file of both sets, and reports all undecidable ones at once. */
export async function chooseShapes(
  context: StepContext,
  sources: readonly SourceFile[],
): Promise<DatasetShapes> {
  const resolved = await resolveSources(context.loaded, context.fs);
  const failures: Failure[] = [];
  const roles = new RolesOf(context.loaded.spec.dataset.roles);
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
  if (errors.length === 1) return first;
  const hints = [...new Set(errors.flatMap(({ hint }) => hint ?? []))];
  return new UsageError(first.code, errors.map(({ message }) => message).join("\n"), {
    ...hints.length > 0 && { hint: hints.join("\n") },
  });
}

async function chooseSet(
  context: StepContext,
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
      failures.push({ ofAll, ofFile: errorOf(() => choose({ field, entry: source.entry })) ?? ofAll });
    }
  }
  const by = set === "train" ? dataset.split?.by : undefined;
  if (by !== undefined) refuseUnknownField("dataset.split.by", by, field, samples.flat());
  return new SetShapes(shapes);
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

/** The roles of sources; sources of one entry share theirs. */
class RolesOf {
  readonly #shared: Roles | undefined;
  readonly #own = new Map<Source["entry"], Roles>();
  readonly all = new Map<Roles, string>();

  constructor(roles: ConstructorParameters<typeof Roles>[0] | undefined) {
    this.#shared = roles && new Roles(roles);
  }

  of({ entry }: Source): Roles | undefined {
    if (!entry.options.roles) {
      if (this.#shared) this.all.set(this.#shared, "dataset.roles");
      return this.#shared;
    }
    const roles = this.#own.get(entry) ?? new Roles(entry.options.roles);
    this.#own.set(entry, roles);
    this.all.set(roles, `roles of "${entry.path}"`);
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
