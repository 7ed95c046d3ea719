import { dirname, resolve } from "node:path";
import type { Fs } from "../lib/fs.ts";
import { crossField } from "./cross_field.ts";
import { fileFindings } from "./files.ts";
import type { Finding } from "./finding.ts";
import { explainIssues } from "./issues.ts";
import { locate } from "./locate.ts";
import { applyOverrides } from "./override.ts";
import { dotted } from "./path.ts";
import { inOrder, MOST_PROBLEMS, type Problem, problemAt, type SourceText } from "./problem.ts";
import { SpecError } from "./spec_error.ts";
import { readPipeline } from "./read.ts";
import { Spec } from "./schema.ts";
import { unsupported } from "./unsupported.ts";
import { type ParsedYaml, parseYaml } from "./yaml.ts";

/** A pipeline file that was read, parsed and validated. */
export interface LoadedSpec {
  readonly spec: Spec;
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute folder of the file: relative paths in it start here. */
  readonly dir: string;
  /** The file's text, as read. */
  readonly text: string;
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
  const source: SourceText = { name: path, text: read.text, kind: "file" };
  const yaml = parseYaml(read.text);
  const faults = yaml.faults.map((fault) => problemAt(source, fault, fault));
  if (yaml.value === undefined) return { ok: false, problems: inOrder(faults) };

  const { data, overrides, problems } = applyOverrides(yaml.value, options.set ?? []);
  const parsed = Spec.safeParse(data);
  const findings = [
    ...parsed.success ? [] : explainIssues(parsed.error.issues, data),
    ...unsupported(data),
    ...crossField(data),
    ...await fileFindings(data, dir, fs),
  ];
  const located = distinct(findings, yaml).map((finding) => locate(finding, { source, yaml }, overrides));
  const all = [
    ...faults,
    ...problems,
    ...located.filter((p) => p.source.kind === "set" || p.start < yaml.soundTo),
  ];
  if (parsed.success && all.length === 0) {
    return { ok: true, loaded: { spec: parsed.data, path: absolute, dir, text: read.text } };
  }
  return { ok: false, problems: inOrder(all) };
}

/** Like loadSpec, for commands that cannot go on without it: throws a SpecError that carries the problems. */
export async function loadSpecOrThrow(path: string, fs: Fs, options: LoadOptions = {}): Promise<LoadedSpec> {
  const result = await loadSpec(path, fs, options);
  if (!result.ok) throw new SpecError(path, result.problems);
  return result.loaded;
}

/** The absolute form of a path that a pipeline file names. */
export function resolveFrom(loaded: Pick<LoadedSpec, "dir">, path: string): string {
  return resolve(loaded.dir, path);
}

/** One finding a field, the schema's first; without guesses from what an error in the YAML may have hidden. */
function distinct(findings: readonly Finding[], yaml: ParsedYaml): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    if (seen.size === MOST_PROBLEMS) return false;
    if (finding.absence && yaml.soundTo !== Infinity) return false;
    const field = dotted(finding.path);
    if (seen.has(field)) return false;
    seen.add(field);
    return true;
  });
}
