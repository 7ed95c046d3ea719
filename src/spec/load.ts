import { dirname, resolve } from "node:path";
import type { Fs } from "../lib/fs.ts";
import { crossField } from "./cross_field.ts";
import { fileFindings } from "./files.ts";
import { dotted } from "./path.ts";
import { inOrder, type Problem, problemAt, type SourceText } from "./problem.ts";
import { readPipeline } from "./read.ts";
import { Spec } from "./schema.ts";
import { unsupported } from "./unsupported.ts";
import { parseYaml } from "./yaml.ts";

/** A pipeline file that was read, parsed and validated. */
export interface LoadedSpec {
  readonly spec: Spec;
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute folder of the file: relative paths in it start here. */
  readonly dir: string;
  /** The file's text, as read. */
  readonly text: string;
  /** Plain data before defaults are filled in, overrides applied. Absent when the spec was not read from a file. */
  readonly given?: unknown;
  /** Dotted paths that `--set` overrides. */
  readonly overridden?: readonly string[];
}

export interface LoadOptions {
  /** `PATH=VALUE` overrides, later ones last. */
  readonly set?: readonly string[];
  /** Folder that a relative `path` starts from. Default: the current one. */
  readonly cwd?: string;
}

export type LoadResult =
  | { readonly ok: true; readonly loaded: LoadedSpec }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a pipeline file and reports everything that is wrong with it at once, in the order of the text. */
export async function loadSpec(path: string, fs: Fs, options: LoadOptions = {}): Promise<LoadResult> {
  const absolute = resolve(options.cwd ?? "", path);
  const read = await readPipeline(absolute, path, fs);
  if (!read.ok) return { ok: false, problems: [read.problem] };
  const dir = dirname(absolute);
  const source: SourceText = { name: path, text: read.text, kind: "file", order: 0 };
  const yaml = parseYaml(read.text);
  const faults = yaml.faults.map((fault) => problemAt(source, fault, fault));
  if (yaml.value === undefined) return { ok: false, problems: inOrder(faults) };

  const set = options.set ?? [];
  const { data, overrides, problems } = set.length === 0
    ? { data: yaml.value, overrides: [], problems: [] }
    : (await import("./override.ts")).applyOverrides(yaml.value, set);
  // Compiling a schema pays off from the second file on; there is none.
  const parsed = Spec.safeParse(data, { jitless: true });
  const findings = [...unsupported(data), ...crossField(data), ...await fileFindings(data, dir, fs)];
  if (parsed.success && findings.length + faults.length + problems.length === 0) {
    const overridden = overrides.map((override) => dotted(override.path));
    return {
      ok: true,
      loaded: { spec: parsed.data, path: absolute, dir, text: read.text, given: data, overridden },
    };
  }
  // What explains problems is loaded when there are some.
  const { locateAll } = await import("./locate_all.ts");
  const located = locateAll({ source, yaml, data, overrides }, parsed.error?.issues ?? [], findings);
  return { ok: false, problems: inOrder([...faults, ...problems, ...located]) };
}

/** Like loadSpec, for commands that cannot go on without it: throws a SpecError that carries the problems. */
export async function loadSpecOrThrow(path: string, fs: Fs, options: LoadOptions = {}): Promise<LoadedSpec> {
  const result = await loadSpec(path, fs, options);
  if (result.ok) return result.loaded;
  const { SpecError } = await import("./spec_error.ts");
  throw new SpecError(path, result.problems);
}

/** The absolute form of a path that a pipeline file names. */
export function resolveFrom(loaded: Pick<LoadedSpec, "dir">, path: string): string {
  return resolve(loaded.dir, path);
}
