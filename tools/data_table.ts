// deno-lint-ignore-file no-console camelcase -- a program of its own; names of the rows' fields
/**
 * The tables of docs/data.md: what becomes of each field of each shape, found by converting a row that has it.
 *
 *     deno run -A tools/data_table.ts --write
 */
import type { JsonObject } from "../src/lib/json/json.ts";
import { ABILITIES } from "../src/providers/abilities.ts";
import { Spec } from "../src/spec/schema/schema.ts";
import { Accounting } from "../src/steps/format/report/accounting.ts";
import { Converter } from "../src/steps/format/shapes/converter.ts";
import { Findings } from "../src/steps/format/checks/findings.ts";
import { chooseShape } from "../src/steps/format/shapes/shapes.ts";
import { markdownTable, renewTables } from "./doc_tables.ts";

export type Road = "local" | "openai";
export type Fate = "used" | "named" | "refused";

export interface Sample {
  readonly shape: string;
  /** As the table names it. */
  readonly field: string;
  readonly row: JsonObject;
  /** What it becomes, or why not. */
  readonly says: string;
}

const user = { role: "user", content: "hi" };
const done = { role: "assistant", content: "ok" };
const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
const tool = { type: "function", function: { name: "look", parameters: { type: "object" } } };
const answered = { role: "tool", content: "found", tool_call_id: "c1" };

/** A row of each shape, to which a field is added. */
export const BASES: { readonly [shape: string]: JsonObject } = {
  messages: { messages: [user, done] },
  "prompt-completion": { prompt: "hi", completion: "ok" },
  alpaca: { instruction: "hi", output: "ok" },
  sharegpt: { conversations: [{ from: "human", value: "hi" }, { from: "gpt", value: "ok" }] },
  preference: { prompt: "hi", chosen: "ok", rejected: "no" },
  columns: { q: "hi", a: "ok" },
};

/** Fields of a message: whose they are, and what they become. */
export const MESSAGE_FIELDS: readonly (readonly [field: string, turn: JsonObject, says: string])[] = [
  ["`content`, a text", { ...user, content: "a text" }, "the text"],
  [
    "`content`, parts of type `text`",
    { ...user, content: [{ type: "text", text: "a text" }] },
    "their texts, one after the other",
  ],
  ["`content`, parts of type `thinking`", {
    ...done,
    content: [{ type: "thinking", thinking: "so" }, { type: "text", text: "ok" }],
  }, "`reasoning_content`. Services take no such part"],
  ["`content`, parts of type `image_url`", {
    ...user,
    content: [{ type: "image_url", image_url: { url: "https://x/y.png" } }, { type: "text", text: "?" }],
  }, "only text is trained here; services take up to 10 images of the user"],
  [
    "`content`, any other part",
    { ...user, content: [{ type: "video", video: "a.mp4" }] },
    "only text is trained here",
  ],
  ["other members of a part", { ...user, content: [{ type: "text", text: "hi", cache: "x" }] }, "left out"],
  [
    "`reasoning_content`, `reasoning`, `thinking` of the assistant",
    { ...done, reasoning_content: "so" },
    "`reasoning_content`. Services refuse the field",
  ],
  [
    "`<think>…</think>` at the start of an answer",
    { ...done, content: "<think>so</think>ok" },
    "`reasoning_content`; at a service it remains part of the text",
  ],
  [
    "`weight`, `loss`, `loss_scale`, `train`, `training`, `trainable`, `learn`: 0 or false, of the assistant",
    {
      ...done,
      weight: 0,
    },
    "`weight: 0`: this turn is not trained",
  ],
  [
    "the same: 1 or true, of the assistant",
    { ...done, train: true },
    "the turn is trained, like all others",
  ],
  ["the same: 0 or false, of another turn", { ...user, loss: false }, "other roles' turns are never trained"],
  ["the same: 1 or true, of another turn", { ...user, weight: 1 }, "only assistant turns are trained"],
  ["`masked`, `mask`, `ignore` of the assistant", { ...done, masked: true }, "the opposite of `train`"],
  ["any of these with another value", { ...done, weight: 0.5 }, "only 0, 1, false and true are supported"],
  [
    "`train_detail`, `training_detail`",
    { ...done, train_detail: [{ begin_offset: 0 }] },
    "parts of a turn cannot be masked",
  ],
  ["`tool_calls`, `function_call` of the assistant", {
    ...done,
    function_call: { name: "look", arguments: "{}" },
  }, "`tool_calls`, with ids added where missing"],
  [
    "`tool_calls`, `function_call` of another turn",
    { ...user, tool_calls: [call] },
    "only the assistant calls tools",
  ],
  [
    "`name` of the user, the assistant or the system",
    { ...user, name: "Ann" },
    "chat templates do not support it; services do",
  ],
  [
    "`refusal` of the assistant",
    { ...done, refusal: "no" },
    "chat templates do not support it; services do",
  ],
  [
    "`image`, `images`, `audio`, `audios`, `video`, `videos`",
    { ...user, images: ["a.png"] },
    "only text is trained here; services refuse the field",
  ],
  ["any other", { ...user, mood: "fine" }, "services refuse the field"],
];

/** Tools' turns need a call before them. */
const TOOL_TURNS: readonly (readonly [field: string, turns: readonly JsonObject[], says: string])[] = [
  ["`tool_call_id` of a tool", [{ ...answered }], "the call it answers; if missing, the first open one"],
  ["`name` of a tool", [{ ...answered, name: "look" }], "the name of the tool"],
  ["a tool turn without an open call", [answered, answered], "its `tool_call_id` matches none"],
  ["a call that is not answered before the next turn", [], "every call must be answered first"],
];

const ROW_FIELDS: readonly (readonly [field: string, members: JsonObject, says: string])[] = [
  ["`system`", { system: "Be brief." }, "the system turn; refused if the turns start with another one"],
  ["`tools`, `functions`", { functions: [tool.function] }, "`tools`, also from JSON text or plain functions"],
  [
    "`parallel_tool_calls` with tools",
    { tools: [tool], parallel_tool_calls: false },
    "an option of services",
  ],
  [
    "`chat_template_kwargs`, an object",
    { chat_template_kwargs: { enable_thinking: false } },
    "passed to the base's own chat template, which must read the names",
  ],
  [
    "`image`, `images`, `audio`, `audios`, `video`, `videos`",
    { images: ["a.png"] },
    "only text is trained here; services take images as parts of a message",
  ],
  ["`label`, `kto_tag`, `desirable`: false", { label: false }, "the answer is marked as bad"],
  ["the same: true", { label: true }, "all answers count as good"],
  ["`weight`: 0; `loss`, `train` and the other flags of a turn: false; `masked`, `mask`, `ignore`: true", {
    train: false,
  }, "the row is excluded from training"],
  ["`rejected`, `rejected_response`, `rejected_messages`, `rejected_output`, `non_preferred_output`", {
    rejected_response: "no",
  }, "a rejected answer; only for format preference"],
  ["any other, such as `id` or `source`", { source: "web" }, "left out"],
];

const OWN_FIELDS: readonly (readonly [shape: string, field: string, row: JsonObject, says: string])[] = [
  [
    "messages",
    "`messages`, a list or its JSON text",
    { messages: JSON.stringify([user, done]) },
    "the turns, below",
  ],
  [
    "prompt-completion",
    "`prompt`, `completion`, texts",
    BASES["prompt-completion"] as JsonObject,
    "a turn of the user and one of the assistant",
  ],
  [
    "prompt-completion",
    "`prompt`, `completion`, lists of messages",
    { prompt: [user], completion: [done] },
    "the turns, below",
  ],
  [
    "alpaca",
    "`instruction`, `input`",
    { instruction: "hi", input: "there", output: "ok" },
    "the turn of the user, in two lines",
  ],
  ["alpaca", "`output`", BASES["alpaca"] as JsonObject, "the turn of the assistant"],
  [
    "alpaca",
    "`history`, a list of pairs",
    { instruction: "hi", output: "ok", history: [["a", "b"]] },
    "the turns before",
  ],
  ["sharegpt", "`conversations`, a list or its JSON text", {
    conversations: JSON.stringify([{ from: "human", value: "hi" }, { from: "gpt", value: "ok" }]),
  }, "the turns, below: `from` is the speaker, `value` the content"],
  ["sharegpt", "speaker `function_call` or `tool_call`", {
    conversations: [
      { from: "human", value: "hi" },
      { from: "function_call", value: '{"name":"look","arguments":{}}' },
      { from: "observation", value: "x" },
      { from: "gpt", value: "ok" },
    ],
  }, "`tool_calls` of the assistant"],
  ["sharegpt", "speaker `observation`, `tool_response`, `function_response` or `function`", {
    conversations: [
      { from: "human", value: "hi" },
      { from: "function_call", value: '{"name":"look","arguments":{}}' },
      { from: "tool_response", value: "x" },
      { from: "gpt", value: "ok" },
    ],
  }, "the tool's turn"],
  [
    "preference",
    "`prompt`, `chosen`, `rejected`",
    BASES["preference"] as JsonObject,
    "only services train on preferences",
  ],
  ["preference", "`input`, `preferred_output`, `non_preferred_output`", {
    input: { messages: [user] },
    preferred_output: [done],
    non_preferred_output: [{ ...done, content: "no" }],
  }, "only services train on preferences"],
  [
    "columns",
    "fields used by `dataset.columns`",
    BASES["columns"] as JsonObject,
    "inserted into the templates",
  ],
  [
    "columns",
    "`label`, `kto_tag`, `desirable`: false, and flags that exclude the row (below), unless a template uses them",
    {
      q: "hi",
      a: "ok",
      label: false,
    },
    "the answer is marked as bad",
  ],
  ["columns", "any other", { q: "hi", a: "ok", images: ["a.png"] }, "the file lists what it uses"],
];

export function samples(): { readonly own: Sample[]; readonly rows: Sample[]; readonly turns: Sample[] } {
  const turns = MESSAGE_FIELDS.map(([field, turn, says]) =>
    sample(field, { messages: aroundOf(turn) }, says)
  );
  const asked = [user, { role: "assistant", content: null, tool_calls: [call] }];
  return {
    own: OWN_FIELDS.map(([shape, field, row, says]) => ({ shape, field, row, says })),
    rows: ROW_FIELDS.map(([field, members, says]) =>
      sample(field, { ...BASES["messages"], ...members }, says)
    ),
    turns: [
      ...turns,
      ...TOOL_TURNS.map(([field, list, says]) =>
        sample(field, { messages: [...asked, ...list, done] }, says)
      ),
    ],
  };
}

/** A conversation that has the turn in its place, and an answer that is learnt. */
export function aroundOf(turn: JsonObject): JsonObject[] {
  if (turn["role"] === "user") return [turn, done];
  const called = turn["function_call"] === undefined ? [] : [{ role: "tool", content: "found" }];
  return called.length > 0 ? [user, turn, ...called, done] : [user, turn, user, done];
}

function sample(field: string, row: JsonObject, says: string): Sample {
  return { shape: "messages", field, row, says };
}

/** What becomes of a row: refused, used with something left over that is named, or used whole. */
export function fateOf(shape: string, row: JsonObject, road: Road): Fate {
  const columns = shape === "columns" ? { columns: { user: "{{ q }}", assistant: "{{ a }}" } } : {};
  const dataset = Spec.shape.dataset.parse({ source: "a.jsonl", format: shape, ...columns });
  const findings = new Findings(dataset.checks);
  const accounting = new Accounting();
  const choice = chooseShape(dataset, "dataset.source", [row]);
  const converter = new Converter(choice.shape, ABILITIES[road], findings, undefined, accounting);
  const conversation = converter.convert("a.jsonl:1", row);
  if (!conversation) return "refused";
  if (accounting.summary().unused.length > 0) return "named";
  return "used";
}

function table(list: readonly Sample[], withShape: boolean): string {
  const lines = list.map(({ shape, field, row, says }) => {
    const fates = [fateOf(shape, row, "local"), fateOf(shape, row, "openai")];
    return [...withShape ? [shape] : [], field, ...fates, says];
  });
  return markdownTable(
    [...withShape ? ["shape"] : [], "field", "trained here", "hosted", "as, or why"],
    lines,
  );
}

/** The page with its tables as the code has them. */
export function withTables(page: string): string {
  const { own, rows, turns } = samples();
  return renewTables(page, {
    shapes: table(own, true),
    rows: table(rows, false),
    messages: table(turns, false),
  });
}

export const PAGE = new URL("../docs/data.md", import.meta.url);

if (import.meta.main) {
  const renewed = withTables(await Deno.readTextFile(PAGE));
  if (Deno.args[0] === "--write") await Deno.writeTextFile(PAGE, renewed);
  else console.log(renewed);
}
