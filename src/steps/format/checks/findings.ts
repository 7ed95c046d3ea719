import type { Json } from "../../../lib/json/json.ts";
import type { CheckWithText } from "../../../pages/check_text.ts";
import type { Checks, Severity } from "../../../spec/schema/schema.ts";

export const CHECKS = [
  "rows",
  "order",
  "empty",
  "placeholders",
  "markup",
  "quoted_markup",
  "duplicates",
  "leakage",
] as const satisfies readonly CheckWithText[];
export type CheckName = (typeof CHECKS)[number];

/** How many of a check's findings are kept, so that memory and reports stay small. */
export const KEPT = 20;

/** Something wrong with one row. */
export type Finding = {
  /** Source file and line. */
  readonly origin: string;
  readonly field: string;
  readonly problem: string;
  /** The text in question, shortened. */
  readonly excerpt: string;
};

export type CheckResult = {
  readonly severity: Severity;
  readonly count: number;
  /** The first ones. */
  readonly findings: readonly Finding[];
};

/** What the checks found: all of it counted, the first of each kept. */
export class Findings {
  readonly #checks: Checks;
  readonly #counts = new Map<CheckName, number>();
  readonly #kept = new Map<CheckName, Finding[]>();
  readonly #firsts: Finding[] = [];
  #isNewFile = false;

  constructor(checks: Checks) {
    this.#checks = checks;
  }

  /** Markup that may be quoted is only ever told: who does not look for markup does not look for it either. */
  severity(check: CheckName): Severity {
    if (check !== "quoted_markup") return this.#checks[check];
    return this.#checks.markup === "off" ? "off" : "warn";
  }

  add(check: CheckName, finding: () => Finding): void {
    if (this.severity(check) === "off") return;
    this.count(check, 1);
    if (check === "rows" && this.#isNewFile) {
      this.#firsts.push(finding());
      this.#isNewFile = false;
    }
    const kept = this.#kept.get(check) ?? [];
    if (kept.length < KEPT) this.#kept.set(check, [...kept, finding()]);
  }

  /** What is added from here on comes from another file: the first row of each that cannot be read is kept. */
  beginFile(): void {
    this.#isNewFile = true;
  }

  /** For each file with such a row the first finding, in the order of the files. */
  get firstOfFiles(): readonly Finding[] {
    return this.#firsts;
  }

  /** Counts what is not kept one by one. */
  count(check: CheckName, n: number): void {
    this.#counts.set(check, (this.#counts.get(check) ?? 0) + n);
  }

  keep(check: CheckName, findings: readonly Finding[]): void {
    this.#kept.set(check, [...findings]);
  }

  result(check: CheckName): CheckResult {
    return {
      severity: this.severity(check),
      count: this.#counts.get(check) ?? 0,
      findings: this.#kept.get(check) ?? [],
    };
  }
}

/** A value on one short line. */
export function excerptOf(value: Json | undefined): string {
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const line = text.slice(0, 400).toWellFormed().replace(/\s+/g, " ").replace(/\p{Cc}/gu, "�").trim();
  const characters = [...line];
  return characters.length > 120 || text.length > 400 ? `${characters.slice(0, 119).join("")}…` : line;
}
