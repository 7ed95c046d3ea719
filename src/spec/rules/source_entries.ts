import { isSection, type Path, valueAt } from "../yaml/path.ts";
import type { SourceOptions, Spec } from "../schema/schema.ts";

/** One entry of dataset.source or dataset.eval, as plain data that may be wrong. */
export interface GivenEntry {
  readonly at: Path;
  /** Place of its path: the entry itself where that is a string. */
  readonly pathAt: Path;
  readonly value: unknown;
  /** The path or glob; undefined where there is none. */
  readonly path: string | undefined;
}

/** The entries of `dataset.source`, `dataset.source.from` or `dataset.eval`. */
export function givenEntries(data: unknown, at: Path): GivenEntry[] {
  const value = valueAt(data, at);
  const list: (readonly [Path, unknown])[] = Array.isArray(value)
    ? value.map((item, i) => [[...at, i], item])
    : [[at, value]];
  return list.flatMap(([at, value]): GivenEntry[] => {
    if (typeof value === "string") return [{ at, pathAt: at, value, path: nonEmpty(value) }];
    if (!isSection(value) || "sql" in value || "from" in value) return [];
    return [{ at, pathAt: [...at, "path"], value, path: nonEmpty(value["path"]) }];
  });
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** One entry of a valid pipeline. */
export interface SourceEntry {
  /** A file or a glob, as the pipeline file names it. */
  readonly path: string;
  readonly options: SourceOptions;
}

/** Where the entry with this path stands in the pipeline file: each path is named once. */
export function entryPath(set: "train" | "eval", sources: Sources | undefined, path: string): Path {
  const at: Path = ["dataset", set === "train" ? "source" : "eval"];
  if (!Array.isArray(sources)) return at;
  const index = sourceEntries(sources).findIndex((entry) => entry.path === path);
  return [...at, Math.max(0, index)];
}

type Sources = Exclude<Spec["dataset"]["source"], { readonly sql: string }>;

/** A bare path has no options. */
export function sourceEntries(sources: Sources | undefined): SourceEntry[] {
  if (sources === undefined) return [];
  return [sources].flat().map((entry) => {
    if (typeof entry === "string") return { path: entry, options: {} };
    const { path, ...options } = entry;
    return { path, options };
  });
}
