import type { SourceOptions } from "../../../spec/schema/schema.ts";
import type { Field } from "./field_facts.ts";

/** Templates for dataset.columns, and what is to be known about them. */
export interface Proposal {
  readonly columns: NonNullable<SourceOptions["columns"]>;
  readonly notes: readonly string[];
}

/** Words in names of fields, the most telling first. */
const USER = words(
  "question query prompt instruction instructions request command utterance problem user human input ask task q text sentence review",
);
const ASSISTANT = words(
  "answer response completion output reply chosen assistant solution target summary translation label answers gold result bot a",
);
const CONTEXT = words("context passage input document article background paragraph evidence choices options");
const SYSTEM = words("system");
/** Words of fields that are about a row, not in it. */
const ABOUT = words(
  "id ids idx index uuid guid hash url uri link source category type topic tag tags date time timestamp created " +
    "updated language lang locale license author score rating rank split fold dataset version difficulty level " +
    "subject domain meta metadata info title rejected wrong incorrect negative bad name file path count length tokens",
);

function words(list: string): readonly string[] {
  return list.split(" ");
}

/**
 * Which fields are the input and the answer, by their names and by what they hold; `undefined` where they do not
 * show it. Only fields that every row has are proposed, so that no row is lost by it.
 */
export function proposeColumns(fields: readonly Field[]): Proposal | undefined {
  const usable = fields.filter(({ name }) =>
    !/[{}|]/.test(name) && !tokensOf(name).some((t) => ABOUT.includes(t))
  );
  const system = best(usable.filter(({ isText }) => isText), SYSTEM);
  const rest = usable.filter((field) => field !== system);
  const assistant = best(rest.filter(isAnswer), ASSISTANT);
  const texts = rest.filter((field) => field !== assistant && field.isText);
  const user = best(texts, USER) ?? best(texts, CONTEXT);
  if (!assistant || !user) return undefined;
  const context = best(
    usable.filter((field) => ![user, assistant].includes(field) && isContext(field)),
    CONTEXT,
  );
  const columns = {
    ...system && { system: place(system) },
    user: place(user) + (context ? `\n${place(context, context.isSometimesText)}` : ""),
    assistant: place(assistant),
  };
  return { columns, notes: notesOn(assistant) };
}

function isAnswer(field: Field): boolean {
  // What is only true or false says of an answer that it is good or bad.
  if ([...field.kinds.keys()].every((kind) => kind === "true or false")) return false;
  return field.isText || field.isNested || field.isPlain && !field.kinds.has("a text");
}

function isContext(field: Field): boolean {
  return field.isText || field.isSometimesText || field.isNested && /choices|options/i.test(field.name);
}

/** The field whose name has the word that says most; of several, the one with the shortest name. */
function best(fields: readonly Field[], words: readonly string[]): Field | undefined {
  const ranked = fields.map((field) => ({ field, rank: rankOf(field.name, words) }))
    .filter(({ rank }) => rank >= 0);
  ranked.sort((a, b) => a.rank - b.rank || a.field.name.length - b.field.name.length);
  return ranked[0]?.field;
}

function rankOf(name: string, words: readonly string[]): number {
  const ranks = tokensOf(name).map((token) => words.indexOf(token)).filter((rank) => rank >= 0);
  return ranks.length === 0 ? -1 : Math.min(...ranks);
}

/** `bestAnswer_text` → best, answer, text. */
function tokensOf(name: string): string[] {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

function place({ name, isNested }: Field, optional = false): string {
  const filter = isNested ? " | json" : optional ? " | optional" : "";
  return `{{ ${name}${filter} }}`;
}

function notesOn({ name, isNested, kinds }: Field): string[] {
  if (isNested) {
    const objects = kinds.has("an object")
      ? " metric: json_equal in evaluate compares such answers as values"
      : "";
    return [`"${name}" becomes JSON text.${objects}`.trim()];
  }
  return kinds.has("a number") ? [`"${name}" becomes the text of the number`] : [];
}
