/** The position of a field: names of keys and numbers of list items. */
export type Path = readonly (string | number)[];

/** `train.epochs`, `dataset.source.0`. */
export function dotted(path: Path): string {
  return path.join(".");
}

/** Names as typed: those made of digits only are list indices. */
export function parsePath(names: readonly string[]): Path {
  return names.map((name) => /^\d+$/.test(name) ? Number(name) : name);
}

/** The value at a path of plain data; undefined when there is none. */
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

export type Placed =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly found: string };

/** `data` with `value` at `path`; sections on the way are made. `data` itself is left as it is. */
export function place(data: unknown, path: Path, value: unknown): Placed {
  const [name, ...rest] = path;
  if (name === undefined) return { ok: true, data: value };
  if (Array.isArray(data)) {
    if (typeof name !== "number") return { ok: false, found: `a list has numbers, not "${name}"` };
    if (name > data.length) {
      return { ok: false, found: `the list has ${data.length} items, so ${name} is past its end` };
    }
    const inner = place(data[name], rest, value);
    return inner.ok ? { ok: true, data: Object.assign([...data], { [name]: inner.data }) } : inner;
  }
  if (data !== undefined && data !== null && !isSection(data)) {
    return { ok: false, found: `"${name}" would be inside a value that is not a section` };
  }
  const before = data && Object.hasOwn(data, name) ? data[name] : undefined;
  const inner = place(before, rest, value);
  if (!inner.ok) return inner;
  // Not by assignment: a key named __proto__ is a key like any other.
  const entries = Object.entries(data ?? {}).filter(([key]) => key !== String(name));
  return { ok: true, data: Object.fromEntries([...entries, [String(name), inner.data]]) };
}
