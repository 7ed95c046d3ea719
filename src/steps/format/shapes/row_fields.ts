import type { Json } from "../../../lib/json/json.ts";
import type { Abilities } from "../../../providers/abilities.ts";
import type { Complain, RawTurn } from "../conversation/conversation.ts";
import { FLAG_NAMES, flagValue, forbidsLearning } from "../conversation/learn_flags.ts";
import type { RowView } from "./row_view.ts";

/** The turns behind the system turn that a row has beside them. Empty means none; two different ones are refused. */
export function withSystem(
  row: RowView,
  turns: readonly RawTurn[],
  complain: Complain,
): RawTurn[] | undefined {
  const system = row.take("system");
  if (system === undefined || system === "") return [...turns];
  const [first] = turns;
  if (first?.role !== "system" && first?.role !== "developer") {
    return [{ field: row.at("system"), role: "system", content: system }, ...turns];
  }
  if (first.content === system) return [...turns];
  return void complain(
    row.at("system"),
    `differs from the system turn in ${first.field}: a conversation has one`,
    system,
  );
}

/** Fields of rows and messages for media. */
export const MEDIA_FIELDS: readonly string[] = ["image", "images", "audio", "audios", "video", "videos"];

type Verdict = (value: Json | undefined, abilities: Abilities, name: string) => string | undefined;

const media: Verdict = (_, { images }) =>
  images
    ? "contains media outside the conversation, which services do not read: add images as parts of type image_url"
    : "contains media, but only text can be trained here";

const otherAnswer: Verdict = () =>
  "contains a rejected answer, which this format does not use: remove the field, or use format preference";

const verdictOfLabel: Verdict = (value) =>
  flagValue(value) === false
    ? "is false: the answer is marked as bad but would be trained as good. Remove such rows from the file"
    : undefined;

const wholeRow: Verdict = (value, _, name) =>
  forbidsLearning(name, value) ? "excludes the row from training: remove such rows from the file" : undefined;

/** Fields that would make an example mean something else than it says, wherever a shape has no use for them. */
const TELLING: ReadonlyMap<string, Verdict> = new Map([
  ...MEDIA_FIELDS.map((name) => [name, media] as const),
  ...["rejected", "rejected_response", "rejected_messages", "rejected_output", "non_preferred_output"]
    .map((name) => [name, otherAnswer] as const),
  ["label", verdictOfLabel],
  ["kto_tag", verdictOfLabel],
  ["desirable", verdictOfLabel],
  ...FLAG_NAMES.map((name) => [name, wholeRow] as const),
]);
/** What speaks against an answer, also where the pipeline file names the fields itself. */
const ALWAYS: ReadonlySet<Verdict> = new Set([verdictOfLabel, wholeRow]);

export const TELLING_FIELDS: readonly string[] = [...TELLING.keys()];

/** Whether what a shape left over lets the row be learnt. `explicit`: the pipeline file names the fields. */
export function mayBeLearnt(
  row: RowView,
  explicit: boolean,
  abilities: Abilities,
  complain: Complain,
): boolean {
  for (const name of row.rest()) {
    const verdict = TELLING.get(name);
    if (!verdict || explicit && !ALWAYS.has(verdict)) continue;
    const value = row.peek(name);
    // How CSV says that there is none.
    if (value === "") continue;
    const problem = verdict(value, abilities, name);
    if (problem !== undefined) {
      complain(name, problem, value);
      return false;
    }
  }
  return true;
}
