/** Where a field stands: names of keys and numbers of list items. */
export type Path = readonly (string | number)[];

/** `train.epochs`, `dataset.source.0`. */
export function dotted(path: Path): string {
  return path.join(".");
}

/** Names as a person types them: those of digits alone are numbers of list items. */
export function parsePath(names: readonly string[]): Path {
  return names.map((name) => /^\d+$/.test(name) ? Number(name) : name);
}

/** What stands at a path of plain data; undefined when nothing does. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string | number, unknown>)[name];
  }
  return value;
}

/** Whether `path` is `start` or below it. */
export function startsWith(path: Path, start: Path): boolean {
  return start.every((name, i) => String(path[i]) === String(name));
}

/** A section of plain data: not a list, a number or the like. */
export function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
