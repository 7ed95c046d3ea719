import { dirname, resolve } from "../deps/path.ts";
import type { Fs } from "../lib/files/fs.ts";
import { maskedText, secretValues } from "../lib/net/secrets.ts";
import { crossField } from "./rules/cross_field.ts";
import { engineFindings } from "./rules/engine.ts";
import { fileFindings } from "./rules/files.ts";
import type { FieldProblem } from "./rules/field_problem.ts";
import { hostedFindings } from "./rules/hosted.ts";
import type { CheckedSpec, LoadAllResult, LoadedSpec, LoadResult, PipelineText, Refused } from "./loaded.ts";
import { dotted, isSection, valueAt } from "./yaml/path.ts";
import { inOrder, problemAt, type SourceText } from "./problem.ts";
import { readDefined, readPipeline } from "./read.ts";
import { type OwnSections, type Spec, specWith } from "./schema/schema.ts";
import { secretFindings } from "./rules/secrets.ts";
import { sourceRules } from "./rules/source_rules.ts";
import { unsupported } from "./rules/unsupported.ts";
import { parseYaml } from "./yaml/yaml.ts";

export type { Cell, LoadAllResult, LoadedSpec, LoadResult, PipelineText, Refused } from "./loaded.ts";

/** Looks at what a valid pipeline names: bases, machines. */
export type Inspect = (loaded: LoadedSpec) => Promise<FieldProblem[]>;

export interface LoadOptions {
  /** Asked about every pipeline whose file is right in itself. */
  readonly inspect?: Inspect;
  /** `PATH=VALUE` overrides, later ones last. */
  readonly set?: readonly string[];
  /** Environment variables: their secrets are never quoted from the file. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that a relative `path` starts from. Default: the current one. */
  readonly cwd?: string;
  /** Folder that relative paths in the file start from. Default: the file's. */
  readonly dir?: string;
  /** Sections of providers that are not temper's own. */
  readonly own?: OwnSections;
  /** Whether the files that it names have to be there. @default true */
  readonly files?: boolean;
}

export interface LoadOneOptions extends LoadOptions {
  /** Label of the combination, for a file with a matrix. */
  readonly cell?: string | undefined;
}

/**
 * Reads a pipeline, of a file or of one's own text, and reports everything that is wrong with it at once, in the order
 * of the text.
 */
export async function loadSpec(
  pipeline: string | PipelineText,
  fs: Fs,
  options: LoadOneOptions = {},
): Promise<LoadResult> {
  const result = await loadAll(pipeline, fs, options);
  if (!result.ok) return result;
  const [first] = result.cells;
  if (first && !first.cell && options.cell === undefined) return { ok: true, loaded: first };
  const { pickCell } = await import("./matrix/pick_cell.ts");
  return pickCell(nameOf(pipeline), result.cells, options.cell);
}

/** The same for every combination of the file's matrix, each validated as if it had been written out. */
export async function loadAll(
  pipeline: string | PipelineText,
  fs: Fs,
  options: LoadOptions = {},
): Promise<LoadAllResult> {
  const path = typeof pipeline === "string" ? resolve(options.cwd ?? "", pipeline) : undefined;
  const read = typeof pipeline === "string" ? await readPipeline(path!, pipeline, fs) : readDefined(pipeline);
  if (!read.ok) return { ok: false, problems: [read.problem] };
  const dir = typeof pipeline === "string" ? options.dir ?? dirname(path!) : pipeline.dir;
  const secrets = secretValues(options.env ?? {}, read.text);
  const name = nameOf(pipeline);
  const source: SourceText = { name, text: maskedText(read.text, secrets), kind: "file", order: 0 };
  const schema = specWith(options.own);
  const yaml = parseYaml(read.text);
  const faults = yaml.faults.map((fault) => problemAt(source, fault, fault));
  if (yaml.value === undefined) return { ok: false, problems: inOrder(faults) };

  const set = options.set ?? [];
  const { fields, extensions } = withoutExtensions(yaml.value);
  const { data, overrides, problems } = set.length === 0
    ? { data: fields, overrides: [], problems: [] }
    : (await import("./matrix/override.ts")).applyOverrides(fields, set, secrets);
  const overridden = overrides.map((override) => dotted(override.path));
  const loadedOf = ({ spec, data, cell }: CheckedSpec & { readonly spec: Spec }) => ({
    spec,
    path,
    dir,
    text: read.text,
    given: data,
    ...set.length > 0 && { set },
    overridden,
    ...cell && { cell },
  });
  const check = async (data: unknown) => {
    const found = await checkData(data, {
      dir,
      schema,
      extensions,
      own: options.own ?? {},
      files: options.files,
    }, fs);
    if (!options.inspect || !isFine(found)) return found;
    return { ...found, findings: await options.inspect(loadedOf(found)) };
  };
  const checked = valueAt(data, ["matrix"]) === undefined
    ? [await check(data)]
    : await (await import("./matrix/check_matrix.ts")).checkMatrix(data, overrides, check);
  const fine = checked.filter(isFine);
  const isWarned = checked.some(({ findings }) => findings.some(isWarning));
  const isUsable = fine.length === checked.length && faults.length + problems.length === 0;
  if (isUsable && !isWarned) return { ok: true, cells: fine.map(loadedOf) };
  // What explains problems is loaded when there are some.
  const { locateAll } = await import("./yaml/locate_all.ts");
  const places = { source, yaml, overrides, spec: schema };
  const located = locateAll(places, checked.map((found) => withFindings(found, (f) => !isWarning(f))));
  const others = checked.map((found) => ({ ...withFindings(found, isWarning), issues: [] }));
  const warnings = isWarned ? { warnings: inOrder(locateAll(places, others)) } : {};
  return isUsable
    ? { ok: true, cells: fine.map(loadedOf), ...warnings }
    : { ok: false, problems: inOrder([...faults, ...problems, ...located]), ...warnings };
}

/** Keys of the file that begin with `x-` are its own: anchors for what several sections share, notes for other tools. */
function withoutExtensions(data: unknown) {
  if (!isSection(data)) return { fields: data, extensions: {} };
  const part = (own: boolean) =>
    Object.fromEntries(Object.entries(data).filter(([key]) => key.startsWith("x-") === own));
  return { fields: part(false), extensions: part(true) };
}

interface Checks {
  readonly dir: string;
  /** What the file has beside the pipeline. It is copied into the run's folder with it. */
  readonly extensions: object;
  readonly schema: typeof Spec;
  readonly own: OwnSections;
  readonly files: boolean | undefined;
}

async function checkData(
  given: unknown,
  { dir, schema, extensions, own, files = true }: Checks,
  fs: Fs,
): Promise<CheckedSpec> {
  const { data, parsed, misspelt } = await parseMeant(given, schema);
  const kind = valueAt(data, ["provider", "kind"]);
  const findings = [
    ...misspelt,
    ...unsupported(data),
    ...crossField(data, typeof kind === "string" && Object.hasOwn(own, kind)),
    ...sourceRules(data),
    ...hostedFindings(data),
    ...engineFindings(data),
    ...secretFindings(data),
    ...secretFindings(extensions),
    ...files ? await fileFindings(data, dir, fs) : [],
  ];
  return { data, spec: parsed.data, issues: parsed.error?.issues ?? [], findings };
}

/** Where a section's `kind` is misspelt the rest is checked as it was meant. */
async function parseMeant(given: unknown, schema: typeof Spec) {
  // Compiling a schema pays off from the second file on; there is none.
  const parse = (data: unknown) => schema.safeParse(data, { jitless: true });
  const parsed = parse(given);
  if (!parsed.error?.issues.some(({ path }) => path.length === 2 && path[1] === "kind")) {
    return { data: given, parsed, misspelt: [] };
  }
  const { meantKinds } = await import("./rules/meant_kinds.ts");
  const { data, findings } = meantKinds(given, schema);
  return { data, parsed: parse(data), misspelt: findings };
}

function isFine(checked: CheckedSpec): checked is CheckedSpec & { readonly spec: Spec } {
  return checked.spec !== undefined && checked.findings.every(isWarning);
}

function isWarning({ severity }: FieldProblem): boolean {
  return severity === "warning";
}

function withFindings(checked: CheckedSpec, keep: (finding: FieldProblem) => boolean): CheckedSpec {
  return { ...checked, findings: checked.findings.filter(keep) };
}

/** Like loadSpec, for commands that need it: throws a SpecError that carries the problems. */
export async function loadSpecOrThrow(
  pipeline: string | PipelineText,
  fs: Fs,
  options: LoadOneOptions = {},
): Promise<LoadedSpec> {
  const result = await loadSpec(pipeline, fs, options);
  return result.ok ? result.loaded : await refuse(pipeline, result);
}

/** Like loadAll, throwing in the same way. */
export async function loadAllOrThrow(
  pipeline: string | PipelineText,
  fs: Fs,
  options: LoadOptions = {},
): Promise<readonly LoadedSpec[]> {
  const result = await loadAll(pipeline, fs, options);
  return result.ok ? result.cells : await refuse(pipeline, result);
}

async function refuse(pipeline: string | PipelineText, { problems, warnings }: Refused): Promise<never> {
  const { SpecError } = await import("./spec_error.ts");
  throw new SpecError(
    typeof pipeline === "string" ? `the pipeline file "${pipeline}"` : pipeline.name,
    problems,
    warnings,
  );
}

function nameOf(pipeline: string | PipelineText): string {
  return typeof pipeline === "string" ? pipeline : pipeline.name;
}

/** The absolute form of a path that a pipeline file names. */
export function resolveFrom(loaded: Pick<LoadedSpec, "dir">, path: string): string {
  return resolve(loaded.dir, path);
}
