import * as all from "./all.ts";
import type { Dialect, RowRules } from "./dialect.ts";
import { ROW_RULES } from "./protocol.ts";

export type DialectName = keyof typeof all;

export const DIALECTS: { readonly [N in DialectName]: Dialect } = { ...all };
export const DIALECT_NAMES = Object.keys(DIALECTS) as [DialectName, ...DialectName[]];

/** A dialect by a name that may be none. */
export function dialectNamed(name: unknown): Dialect | undefined {
  return DIALECT_NAMES.includes(name as DialectName) ? DIALECTS[name as DialectName] : undefined;
}

/** Names of the dialects that take a field of the pipeline file. */
export function dialectsWith(field: string): DialectName[] {
  return DIALECT_NAMES.filter((name) => DIALECTS[name].lacks[field] === undefined);
}

/** The rules for rows of the service that a pipeline trains at. */
export function rowRulesOf(provider: { readonly kind: string; readonly dialect?: string }): RowRules {
  return dialectNamed(provider.dialect)?.rows ?? ROW_RULES;
}
