import type { Path } from "../../../spec/yaml/path.ts";
import type { Json, JsonObject } from "../../../lib/json/json.ts";
import { nearest } from "../../../lib/text/nearest.ts";
import type { SourceOptions } from "../../../spec/schema/schema.ts";
import { DatasetError } from "../dataset_error.ts";
import { isObject } from "../conversation/conversation.ts";
import { isJsonLike, parseJsonCell } from "./json_cell.ts";

/** Members of a turn that say who speaks. */
const SPEAKER_KEYS = ["role", "from"] as const;

/** Who speaks under the names that rows use, and which of the names were seen. */
export class Roles {
  readonly #roles: NonNullable<SourceOptions["roles"]>;
  readonly #seen = new Set<string>();
  readonly #others = new Set<string>();

  constructor(roles: NonNullable<SourceOptions["roles"]>) {
    this.#roles = roles;
  }

  /** The row with the roles that its speakers have in the fields that hold turns. */
  apply(row: JsonObject, fields: readonly string[]): JsonObject {
    const present = fields.filter((field) => Object.hasOwn(row, field));
    return {
      ...row,
      ...Object.fromEntries(present.map((field) => [field, this.#field(row[field] as Json)])),
    };
  }

  /** A name that no row uses is a typo in the pipeline file. `path`: where the roles stand in it. */
  refuseUnseen(place: string, path: Path): void {
    const unseen = Object.keys(this.#roles).find((name) => !this.#seen.has(name));
    if (unseen === undefined) return;
    const others = [...this.#others];
    const close = nearest(unseen, others);
    const message = `Cannot use ${place}: no speaker "${unseen}" in the rows${
      close ? `, did you mean "${close}"` : ""
    }`;
    const hint = others.length === 0
      ? undefined
      : `The rows have ${others.slice(0, 12).map((name) => `"${name}"`).join(", ")}`;
    const { [unseen]: role, ...kept } = this.#roles;
    const value = close && role ? { ...kept, [close]: role } : kept;
    throw new DatasetError("speaker-unknown", message, hint, [
      { path: [...path, unseen], at: "key", message, hint, meant: { path, value } },
    ]);
  }

  #field(value: Json): Json {
    const cell = isJsonLike(value) ? parseJsonCell(value) : undefined;
    const parsed = cell?.ok ? cell.value : value;
    if (isObject(parsed) && Array.isArray(parsed["messages"])) {
      return { ...parsed, messages: this.#turns(parsed["messages"] as readonly Json[]) };
    }
    if (!Array.isArray(parsed)) return value;
    const turns = this.#turns(parsed as readonly Json[]);
    return turns === parsed ? value : turns;
  }

  #turns(list: readonly Json[]): readonly Json[] {
    if (!list.some((item) => isObject(item) && SPEAKER_KEYS.some((key) => typeof item[key] === "string"))) {
      return list;
    }
    return list.map((item) => isObject(item) ? this.#turn(item) : item);
  }

  #turn(turn: JsonObject): JsonObject {
    const key = SPEAKER_KEYS.find((key) => typeof turn[key] === "string");
    if (key === undefined) return turn;
    const name = turn[key] as string;
    const role = Object.hasOwn(this.#roles, name) ? this.#roles[name] : undefined;
    if (role !== undefined) this.#seen.add(name);
    else if (this.#others.size < 50) this.#others.add(name);
    return role === undefined ? turn : { ...turn, [key]: role };
  }
}
