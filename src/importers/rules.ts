import { isSection, type Path } from "../spec/yaml/path.ts";
import { isSecretName, type Reason } from "./draft.ts";
import type { Task } from "./importer.ts";
import type { Reader } from "./reader.ts";

/** What a value becomes, or why it is not carried over. */
export type Converted = { readonly value: unknown; readonly note?: string } | Reason;
export type Convert = (value: unknown) => Converted;

interface Fields {
  /** Dotted paths; `*` at the end stands for the rest of a name. */
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

export function applyRules(rules: readonly Rule[], task: Task): void {
  for (const rule of rules) {
    if (rule.kind === "own") continue;
    for (const path of rule.from.flatMap((name) => pathsOf(name, task))) {
      if (!task.reader.isMarked(path)) applyRule(rule, path, task);
    }
  }
}

function applyRule(rule: Exclude<Rule, { readonly kind: "own" }>, path: Path, task: Task): void {
  const { reader, draft, title } = task;
  const value = reader.get(path);
  if (value === undefined) {
    if (reader.has(path)) leaveEmpty(path, task);
    if (rule.kind === "carry" && rule.standard !== undefined && !draft.values.has(rule.to)) {
      draft.set(rule.to, rule.standard, `${title}'s default`);
    }
  } else if (rule.kind === "leave") {
    if (rule.reason.matters !== false && isOff(value)) {
      draft.account(reader, path, null, value, "off, as in temper");
    } else draft.leave(reader, path, rule.reason);
  } else if (rule.kind === "same") {
    if (rule.values.some((known) => isEqual(known, value))) draft.carry(reader, path, null, value, rule.says);
    else draft.leave(reader, path, rule.otherwise);
  } else {
    const result = rule.convert(value);
    if (isReason(result)) draft.leave(reader, path, result);
    else draft.carry(reader, path, rule.to, result.value, result.note);
  }
}

/** What is asked to be without: there is nothing to carry over. */
function isOff(value: unknown): boolean {
  return truth(value) === false || value === "" ||
    typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

export function isReason(result: Converted): result is Reason {
  return "why" in result;
}

/** A name without a value. */
export function leaveEmpty(path: Path, { reader, draft, title }: Task): void {
  draft.leave(reader, path, { why: `it is empty, which is ${title}'s default`, matters: false });
}

/** Names what no rule has a word for, so that nothing disappears. */
export function leaveRest(task: Task, reader: Reader, root: Path = []): void {
  for (const path of reader.unmarked(root)) {
    const value = reader.get(path);
    if (value === undefined || value === "") leaveEmpty(path, { ...task, reader });
    else if (isSecretName(path)) {
      task.draft.leave(reader, path, {
        why: "secrets belong in the environment",
        instead: "set HF_TOKEN for a private base",
        matters: false,
      });
    } else {
      task.draft.leave(reader, path, {
        why: "temper has no field for it",
        instead: `see what it does in ${task.title}`,
      });
    }
  }
}

/** The fields of the file that a rule's name stands for; the name itself where it has no `*`. */
function pathsOf(name: string, { reader }: Task): Path[] {
  const path = name.split(".");
  if (!name.endsWith("*")) return [path];
  const start = path.at(-1)!.slice(0, -1);
  const above = path.slice(0, -1);
  const section = above.length === 0 ? reader.data : reader.get(above);
  if (!isSection(section)) return [];
  return Object.keys(section).filter((key) => key.startsWith(start)).map((key) => [...above, key]);
}

/** PyYAML reads more words as true and false than YAML 1.2 does. */
export function truth(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  if (/^(true|yes|on)$/i.test(value)) return true;
  return /^(false|no|off)$/i.test(value) ? false : undefined;
}

function isEqual(known: unknown, value: unknown): boolean {
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
  return result === undefined ? { why: "it is no number" } : { value: result };
};

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
