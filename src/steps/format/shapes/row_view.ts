import type { Json, JsonObject } from "../../../lib/json/json.ts";

/** Hears of a value that was left over: where it is, with `[]` for any place in a list, and why if that is known. */
export type Leftover = (field: string, why: string) => void;

/**
 * An object of a row that remembers what was read from it. Converters see rows through it alone, so what they did
 * not take is known without anybody listing it. null means absent, as in the padding of Arrow exports.
 */
export class RowView {
  readonly #object: JsonObject;
  readonly #taken: string[] = [];
  #spared: { readonly key: string; readonly why: string }[] | undefined;
  #inner: RowView[] | undefined;
  /** Its path in the row, such as `messages[2]`; empty for the row itself. */
  readonly path: string;

  constructor(object: JsonObject, path = "") {
    this.#object = object;
    this.path = path;
  }

  /** The place of a member in the row. */
  at(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  /** A member without taking it, to decide by. */
  peek(key: string): Json | undefined {
    return Object.hasOwn(this.#object, key) ? this.#object[key] ?? undefined : undefined;
  }

  /** A member as a whole: whoever takes it uses all of it. */
  take(key: string): Json | undefined {
    if (!this.#taken.includes(key)) this.#taken.push(key);
    return this.peek(key);
  }

  /** A member as it stands, null as null. */
  takeExact(key: string): Json | undefined {
    this.take(key);
    return Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
  }

  /** Looks into an object below `key`, whose members count one by one. `value`: where the member is JSON text. */
  enter(key: string, value: JsonObject): RowView {
    this.take(key);
    return this.#within(value, this.at(key));
  }

  /** The same for an object in a list below `key`. */
  enterItem(key: string, index: number, value: JsonObject): RowView {
    this.take(key);
    return this.#within(value, `${this.at(key)}[${index}]`);
  }

  /** Leaves a member out and records the reason with its name. */
  spare(key: string, why: string): void {
    if (this.has(key)) (this.#spared ??= []).push({ key, why });
    this.take(key);
  }

  /** Names of non-empty members that were not read. */
  rest(): string[] {
    return Object.keys(this.#object).filter((key) => !this.#taken.includes(key) && this.has(key));
  }

  /** Whether nothing is left over that anybody could take. */
  get isSpent(): boolean {
    for (const key in this.#object) {
      if (!this.#taken.includes(key) && this.has(key)) return false;
    }
    return true;
  }

  has(key: string): boolean {
    return holds(this.peek(key));
  }

  /** Everything that was left over, here and in the objects that were entered. */
  leftovers(tell: Leftover): void {
    for (const key in this.#object) {
      if (!this.#taken.includes(key) && this.has(key)) tell(patternOf(this.at(key)), "");
    }
    for (const { key, why } of this.#spared ?? []) tell(patternOf(this.at(key)), why);
    for (const inner of this.#inner ?? []) inner.leftovers(tell);
  }

  #within(value: JsonObject, path: string): RowView {
    const inner = new RowView(value, path);
    (this.#inner ??= []).push(inner);
    return inner;
  }
}

/** Whether a value holds anything at all: null, and lists and objects of nothing else, do not. */
export function holds(value: Json | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "object") return true;
  return Array.isArray(value) ? value.some(holds) : Object.values(value).some(holds);
}

/** The value without members that are null, as Arrow's unions of objects have them. Items of lists stay. */
export function withoutNulls(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutNulls);
  const members: [string, Json][] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== null && !isPadding(member)) members.push([key, withoutNulls(member)]);
  }
  return Object.fromEntries(members);
}

/** An object that holds nothing but null: a member that other rows have, padded. */
function isPadding(value: Json): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const members = Object.values(value);
  return members.length > 0 && members.every((member) => member === null || isPadding(member as Json));
}

function patternOf(path: string): string {
  return path.includes("[") ? path.replace(/\[\d+\]/g, "[]") : path;
}
