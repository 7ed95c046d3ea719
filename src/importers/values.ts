import type { Reason } from "./draft.ts";

/** What a value becomes, or why it is not carried over. */
export type Converted = { readonly value: unknown; readonly note?: string } | Reason;
export type Convert = (value: unknown) => Converted;

export function isReason(result: Converted): result is Reason {
  return "why" in result;
}

/** PyYAML reads more words as true and false than YAML 1.2 does. */
export function truth(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  if (/^(true|yes|on)$/i.test(value)) return true;
  return /^(false|no|off)$/i.test(value) ? false : undefined;
}

export function isEqual(known: unknown, value: unknown): boolean {
  if (typeof known === "boolean") return truth(value) === known;
  if (Array.isArray(known)) {
    return Array.isArray(value) && known.length === value.length &&
      known.every((item, i) => isEqual(item, value[i]));
  }
  return String(known) === String(value) || numberOf(value) === known;
}

/** A number, also as text, which is how PyYAML reads 1e-4. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value))
    ? Number(value)
    : undefined;
}

export const number: Convert = (value) => {
  const result = numberOf(value);
  return result === undefined ? { why: "it is not a number" } : { value: result };
};

/** A name or another text. */
export const text: Convert = (value) =>
  typeof value === "object" ? { why: "it is not text" } : { value: String(value) };

export const flag: Convert = (value) => {
  const result = truth(value);
  return result === undefined ? { why: "it is neither true nor false" } : { value: result };
};

/** The words of a setting, each with the pipeline's. `others`: what to do about any other. */
export function word(words: Readonly<Record<string, unknown>>, others: Reason): Convert {
  return (value) => {
    const key = String(value);
    return Object.hasOwn(words, key) ? { value: words[key] } : others;
  };
}
