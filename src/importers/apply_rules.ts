import { isSection, type Path } from "../spec/yaml/path.ts";
import { isSecretName } from "./draft.ts";
import type { Reader } from "./reader.ts";
import type { Rule } from "./rules.ts";
import type { Task } from "./task.ts";
import { isEqual, isReason, truth } from "./values.ts";

export function applyRules(rules: readonly Rule[], task: Task): void {
  for (const rule of rules) {
    for (const path of rule.from.flatMap((name) => pathsOf(name, task))) {
      if (task.reader.isMarked(path)) continue;
      if (rule.kind === "own") leaveOdd(path, task);
      else applyRule(rule, path, task);
    }
  }
}

/** A field that the importer's own code has left alone: its value is none that means anything there. */
export function leaveOdd(path: Path, task: Task): void {
  const { reader, draft, title } = task;
  if (!reader.has(path) || reader.isMarked(path) || reader.isTouched(path)) return;
  if (reader.get(path) === undefined) leaveEmpty(path, task);
  else draft.leave(reader, path, { why: `${title} does not accept this value there` });
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

/** A name without a value. */
export function leaveEmpty(path: Path, { reader, draft, title }: Task): void {
  draft.leave(reader, path, { why: `it is empty, which is ${title}'s default`, matters: false });
}

/** Why a field is not carried over that no rule names. */
export const UNKNOWN = "temper has no field for it";

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
        why: UNKNOWN,
        instead: `see what it does in ${task.title}`,
        unknown: true,
      });
    }
  }
}

/** The fields of the file that a rule's name stands for; the name itself where it has no `*`. */
function pathsOf(name: string, { reader }: Task): Path[] {
  const path = name.split(".");
  if (!name.includes("*")) return [path];
  const [start = "", end = ""] = path.at(-1)!.split("*");
  const above = path.slice(0, -1);
  const section = above.length === 0 ? reader.data : reader.get(above);
  if (!isSection(section)) return [];
  return Object.keys(section).filter((key) => key.startsWith(start) && key.endsWith(end)).map((
    key,
  ) => [...above, key]);
}
