import type { Reason } from "./draft.ts";
import type { Convert } from "./values.ts";

interface Fields {
  /** Dotted paths; `*` stands for a part of the last name. */
  readonly from: readonly string[];
}

/** What becomes of one field, or of several in the same way. Read by the importer and by the page about it. */
export type Rule =
  | Fields & {
    readonly kind: "carry";
    readonly to: string;
    readonly convert: Convert;
    /** What the tool does where the file does not name the field. */
    readonly standard?: unknown;
    readonly says?: string;
  }
  | Fields & {
    readonly kind: "same";
    readonly values: readonly unknown[];
    readonly says: string;
    readonly otherwise: Reason;
  }
  | Fields & { readonly kind: "leave"; readonly reason: Reason }
  /** The importer's own code decides. */
  | Fields & { readonly kind: "own"; readonly to: string; readonly says: string };

type Names = string | readonly string[];

/** A field that has its place in the pipeline file. */
export function carry(
  from: string,
  to: string,
  convert: Convert,
  more: { readonly standard?: unknown; readonly says?: string } = {},
): Rule {
  return { kind: "carry", from: [from], to, convert, ...more };
}

/** A field that temper needs no word for, as long as it has one of these values. */
export function same(from: Names, values: readonly unknown[], says: string, otherwise: Reason): Rule {
  return { kind: "same", from: [from].flat(), values, says, otherwise };
}

/** Fields without a place here, and without an effect on the trained model. */
export function leave(from: Names, why: string, instead?: string): Rule {
  const reason = { why, matters: false, ...instead !== undefined && { instead } };
  return { kind: "leave", from: [from].flat(), reason };
}

/** Fields without a place here that may change the trained model. */
export function lacks(from: Names, why: string, instead?: string): Rule {
  return { kind: "leave", from: [from].flat(), reason: { why, ...instead !== undefined && { instead } } };
}

export function own(from: Names, to: string, says: string): Rule {
  return { kind: "own", from: [from].flat().flatMap((name) => name.split(", ")), to, says };
}
