import { sha256 } from "../lib/files/fs.ts";
import { canonicalJson, type Json, type JsonObject } from "../lib/json/json.ts";

/** Raised when every stored output must be forgotten. */
export const CACHE_VERSION = 1;

/** The key of a step: sha256 (hex) over the canonical JSON of its parts. */
export function keyOf(parts: JsonObject): string {
  return sha256(canonicalJson(parts));
}

/** One member that two keys do not share. `undefined`: it is absent on that side. */
export interface PartChange {
  /** Dotted path, such as `train.epochs`. */
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/** The members in which two key parts differ, in the order of their paths. */
export function changedParts(before: Json | undefined, after: Json | undefined, path = ""): PartChange[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      changedParts(member(before, name), member(after, name), path === "" ? name : `${path}.${name}`)
    );
  }
  if (before === undefined && after === undefined) return [];
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) {
    return [];
  }
  return [{ path, before, after }];
}

/** Own members only: a key part may be named like a method of Object. */
function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
