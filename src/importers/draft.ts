import { masked } from "../lib/net/secrets.ts";
import { dotted, isSection, type Path } from "../spec/yaml/path.ts";
import type { Reader } from "./reader.ts";

/** A field that has its place in the pipeline file, or that says what temper does anyway. */
export interface Carried {
  readonly from: string;
  /** The pipeline's field; null where temper always does what this one asks for. */
  readonly to: string | null;
  readonly value: unknown;
  readonly note?: string;
}

/** A field that has no place in the pipeline file. */
export interface NotCarried {
  readonly field: string;
  /** The file it is from, where that is not the one that was asked for. */
  readonly file?: string;
  /** null: the file does not name it; it is a default of the tool. */
  readonly line: number | null;
  readonly value: unknown;
  readonly why: string;
  readonly instead: string;
  /** Whether the trained model may differ without it. */
  readonly matters: boolean;
}

/** Why a value is not carried over. */
export interface Reason {
  readonly why: string;
  readonly instead?: string;
  /** Default: true */
  readonly matters?: boolean;
  /** temper does not know the field: its texts may be secrets under any name. */
  readonly unknown?: boolean;
}

/** Where it is from, so that it can be taken back. */
type Entry = Carried & { readonly reader: Reader; readonly path: Path };

/** Names of fields that hold a secret, in lower case with words joined by "_". Plural tokens are mostly text's. */
const SECRET =
  /password|passwd|passphrase|secret|credential|bearer|authorization|(^|_)(keys?|token|pwd|auth)\d*$|(api|access|private|auth|hf|hub)_?(keys?|tokens?)\d*$/;
const HIDDEN = "(hidden)";

/** The pipeline that is being made, with how each field of the source was handled. */
export class Draft {
  /** By dotted path, in the order they were set. */
  readonly values = new Map<string, unknown>();
  readonly comments = new Map<string, string>();
  readonly #carried: Entry[] = [];
  readonly #left: NotCarried[] = [];

  constructor(readonly main: Reader) {}

  get carried(): readonly Carried[] {
    return this.#carried.map(({ from, to, value, note }) => ({
      from,
      to,
      value,
      ...note !== undefined && { note },
    }));
  }

  /** What matters first, each part in the order of the file. */
  get notCarried(): readonly NotCarried[] {
    const at = ({ matters, file, line }: NotCarried) => [matters ? 0 : 1, file ? 1 : 0, line ?? Infinity];
    return [...this.#left].sort((a, b) => {
      const i = at(a).findIndex((part, i) => part !== at(b)[i]);
      return i < 0 ? 0 : at(a)[i]! - at(b)[i]!;
    });
  }

  /** Writes a field of the pipeline that no field of the source names. */
  set(to: string, value: unknown, comment?: string): void {
    this.values.set(to, value);
    if (comment !== undefined) this.comments.set(to, comment.replace(/\s+/g, " "));
  }

  /** Writes a field of the pipeline. `to` null: temper does it anyway, and `note` explains. */
  carry(reader: Reader, path: Path, to: string | null, value: unknown, note?: string): void {
    if (to !== null) this.set(to, value, note);
    this.account(reader, path, to, value, note);
  }

  /** Takes down where a field has gone, which was or will be written otherwise. */
  account(reader: Reader, path: Path, to: string | null, value: unknown, note?: string): void {
    reader.mark(path);
    this.#carried.push({
      reader,
      path,
      from: this.#name(reader, path),
      to,
      value: shown(path, value),
      ...note !== undefined && { note },
    });
  }

  leave(reader: Reader, path: Path, reason: Reason): void {
    const { why, matters = true, unknown = false } = reason;
    reader.mark(path);
    this.#left.push({
      field: dotted(path),
      ...reader !== this.main && { file: reader.name },
      line: reader.line(path),
      value: shown(path, reader.get(path), unknown),
      why,
      instead: insteadOf(reason),
      matters,
    });
  }

  /** What the tool does although the file does not ask for it, and temper does not. */
  miss(field: string, value: unknown, reason: Reason): void {
    const { why, matters = true } = reason;
    this.#left.push({ field, line: null, value, why, instead: insteadOf(reason), matters });
  }

  /** Takes back what the pipeline format refuses at a path or below it. Returns whether there was anything. */
  withdraw(at: string, why: string): boolean {
    const fields = [...this.values.keys()];
    const below = fields.filter((key) => key === at || key.startsWith(`${at}.`));
    for (const field of below) {
      this.values.delete(field);
      this.comments.delete(field);
      this.#reverse(({ to }) => to === field, field, why);
    }
    if (below.length > 0) return true;
    const field = fields.find((key) => at.startsWith(`${key}.`));
    return field !== undefined && this.#withdrawMember(field, at.slice(field.length + 1).split("."), why);
  }

  /** The same within an entry of dataset.source or dataset.eval: all that says what its rows look like. */
  #withdrawMember(field: string, names: readonly string[], why: string): boolean {
    const value = this.values.get(field);
    const index = Array.isArray(value) ? names[0]! : undefined;
    const entry: unknown = index === undefined ? value : (value as unknown[])[Number(index)];
    if (!isSection(entry) || typeof entry["path"] !== "string") return false;
    const bare = { path: entry["path"] };
    if (Object.keys(entry).length === 1) return false;
    this.values.set(field, index === undefined ? bare : (value as unknown[]).with(Number(index), bare));
    const members = Object.keys(entry).filter((name) => name !== "path").map((name) => `${field}.${name}`);
    this.#reverse(
      ({ to, path, reader }) =>
        to !== null && members.includes(to) &&
        (index === undefined || reader !== this.main || path.map(String).includes(index)),
      field,
      why,
    );
    return true;
  }

  #reverse(isMeant: (entry: Entry) => boolean, field: string, why: string): void {
    for (const entry of this.#carried.filter(isMeant)) {
      this.#carried.splice(this.#carried.indexOf(entry), 1);
      this.leave(entry.reader, entry.path, { why, instead: `set ${field} to a valid value` });
    }
  }

  #name(reader: Reader, path: Path): string {
    return reader === this.main ? dotted(path) : `${reader.name}: ${dotted(path)}`;
  }
}

/** Whether a field, or one that it is in, is called like one that holds a key. */
export function isSecretName(path: Path): boolean {
  return path.some((name) =>
    SECRET.test(
      String(name).replace(/(?<=[a-z\d])(?=[A-Z])/g, "_").replace(/[^A-Za-z\d]+/g, "_").toLowerCase(),
    )
  );
}

/** What to do where a reason does not say. */
function insteadOf(
  { matters = true, instead = matters ? "no replacement" : "nothing to do" }: Reason,
): string {
  return instead;
}

/** A value as it may be shown: without what is, or is called like, a key. `unknown`: without any text. */
function shown(path: Path, value: unknown, unknown = false): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return unknown || isSecretName(path) ? HIDDEN : masked(value);
  if (Array.isArray(value)) return value.map((item, i) => shown([...path, i], item, unknown));
  if (isSection(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, shown([...path, key], item, unknown)]),
    );
  }
  return typeof value !== "boolean" && isSecretName(path) ? HIDDEN : value;
}

/** Dotted paths as sections. */
export function nested(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split(".");
    let section = root;
    for (const name of names.slice(0, -1)) section = (section[name] ??= {}) as Record<string, unknown>;
    section[names.at(-1)!] = value;
  }
  return root;
}
