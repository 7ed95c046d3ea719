import { sha256 } from "../../lib/files/fs.ts";
import type { Axis } from "./matrix_axes.ts";
import { isSection, type Path } from "../yaml/path.ts";

/** Short names for the entries of an axis: `lora`, `rank-8`, `learning_rate-0.001`. No two are the same. */
export function entryLabels({ paths, entries }: Axis): string[] {
  const columns = paths.map((path, i) => columnLabels(path, entries.map((entry) => entry[i])));
  const [first = []] = columns;
  const isEnough = new Set(first).size === first.length;
  const labels = isEnough ? first : entries.map((_, i) => join(columns.map((column) => column[i]!)));
  return distinct(labels);
}

/** Labels of whole combinations, each at most `room` characters. */
export function combinationLabels(parts: readonly (readonly string[])[], room: number): string[] {
  return distinct(parts.map(join), room);
}

function columnLabels(path: Path, values: readonly unknown[]): string[] {
  const name = String(path.at(-1));
  return values.map((value) =>
    isSection(value) ? sectionLabel(value, values.filter(isSection)) : label(name, value)
  );
}

/** Its kind, and what tells it from the others of that kind. */
function sectionLabel(section: Readonly<Record<string, unknown>>, all: readonly Record<string, unknown>[]) {
  const { kind } = section;
  const alike = all.filter((other) => other["kind"] === kind);
  const telling = Object.entries(section).filter(([name, value]) =>
    name !== "kind" && alike.some((other) => JSON.stringify(other[name]) !== JSON.stringify(value))
  );
  return join([
    ...kind === undefined ? [] : [label("kind", kind)],
    ...telling.map(([name, value]) => label(name, value)),
  ]);
}

/** Texts speak for themselves; a number or a switch needs the name of its field. */
function label(name: string, value: unknown): string {
  if (typeof value === "string") return slug(value.replace(/^.*\/(?=[^/])/, ""));
  if (Array.isArray(value)) return join(value.map((item) => label(name, item)));
  if (isSection(value)) {
    return join([slug(name), ...Object.entries(value).map(([inner, v]) => label(inner, v))]);
  }
  return slug(`${name}-${value === null ? "none" : value}`);
}

function join(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("-");
}

function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9._-]+/g, "-").replace(/^[-._]+|[-._]+$/g, "");
}

const DIGEST = 6;

/** Labels that are the same, empty or too long are told apart by their number or a digest. */
function distinct(labels: readonly string[], room = Infinity): string[] {
  const taken = new Set<string>();
  return labels.map((label, i) => {
    let name = fitted(label === "" ? String(i + 1) : label, room);
    for (let n = i + 1; taken.has(name); n++) name = fitted(join([label, String(n)]), room);
    taken.add(name);
    return name;
  });
}

function fitted(label: string, room: number): string {
  if (label.length <= room) return label;
  return `${label.slice(0, room - DIGEST - 1)}-${sha256(label).slice(0, DIGEST)}`;
}
