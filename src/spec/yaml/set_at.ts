import { isSection, type Path } from "./path.ts";

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
    return { ok: false, found: `"${name}" would stand inside a value that is no section` };
  }
  const before = data && Object.hasOwn(data, name) ? data[name] : undefined;
  const inner = place(before, rest, value);
  if (!inner.ok) return inner;
  // Not by assignment: a key named __proto__ is a key like any other.
  const entries = Object.entries(data ?? {}).filter(([key]) => key !== String(name));
  return { ok: true, data: Object.fromEntries([...entries, [String(name), inner.data]]) };
}
