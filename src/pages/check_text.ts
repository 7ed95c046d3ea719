import { count, counted } from "../lib/text/format.ts";

/** What each check of the data found, in words. */
export const CHECK_TEXT = {
  rows: (n: number) => `${counted(n, "problem")} in rows that cannot be read as conversations`,
  order: (n: number) => `${counted(n, "conversation")} with turns out of order`,
  empty: (n: number) => `${counted(n, "turn")} without text`,
  placeholders: (n: number) => `${counted(n, "turn")} that ${n === 1 ? "is" : "are"} only a placeholder`,
  markup: (n: number) =>
    `${counted(n, "text")} with chat template markup, which would end or forge turns: ` +
    "strip it, and use format messages for turns",
  "quoted_markup": (n: number) => `${counted(n, "text")} with chat template marks that may be quotations`,
  duplicates: (n: number) => `${counted(n, "repeated conversation")} in train`,
  leakage: (n: number) => `${counted(n, "eval row")} whose input is also in train`,
} as const;
export type CheckWithText = keyof typeof CHECK_TEXT;

/** The finding about a row that repeats another, before that row's origin. */
export const REPEAT_TEXT = {
  duplicates: { field: "row", problem: "is the same conversation as" },
  leakage: { field: "input", problem: "is the same as that of the training row" },
} as const;

/** What a check found; of one that this version does not know, how often. */
export function foundText(check: string, found: number): string {
  return Object.hasOwn(CHECK_TEXT, check) ? CHECK_TEXT[check as CheckWithText](found) : count(found);
}
