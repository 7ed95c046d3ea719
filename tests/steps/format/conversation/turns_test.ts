// deno-lint-ignore-file camelcase -- names of the protocol
import assert from "../../../deps/assert.ts";
import type { Json, JsonObject } from "../../../../src/lib/json/json.ts";
import { ABILITIES } from "../../../../src/providers/abilities.ts";
import { Spec } from "../../../../src/spec/schema/schema.ts";
import { Accounting } from "../../../../src/steps/format/report/accounting.ts";
import { Converter } from "../../../../src/steps/format/shapes/converter.ts";
import { Findings } from "../../../../src/steps/format/checks/findings.ts";
import { chooseShape } from "../../../../src/steps/format/shapes/shapes.ts";

interface Read {
  /** What is written, or why nothing is. */
  readonly messages: readonly JsonObject[] | string[];
  readonly extras: JsonObject | undefined;
  readonly unused: string[];
}

function read(row: JsonObject, road: "local" | "openai" = "local", checks: JsonObject = {}): Read {
  const dataset = Spec.shape.dataset.parse({ source: "a.jsonl", checks });
  const findings = new Findings(dataset.checks);
  const accounting = new Accounting();
  const { shape } = chooseShape(dataset, "dataset.source", [row]);
  const conversation = new Converter(shape, ABILITIES[road], findings, undefined, accounting).convert(
    "a:1",
    row,
  );
  const problems = (["rows", "order", "empty"] as const).flatMap((check) =>
    findings.result(check).findings.map(({ field, problem }) => `${field} ${problem}`)
  );
  return {
    messages: problems.length > 0 ? problems : conversation?.turns.map(({ message }) => message) ?? [],
    extras: conversation?.extras,
    unused: accounting.summary().unused.map(({ field, why, count }) =>
      `${field}${why ? ` ${why}` : ""}: ${count}`
    ),
  };
}

const user = (content = "hi") => ({ role: "user", content });
const bot = (content = "ok", more: JsonObject = {}) => ({ role: "assistant", content, ...more });
const fn = (name: string, args = "{}") => ({ name, arguments: args });
const made = (id: string, name: string, args = "{}") => ({ id, type: "function", function: fn(name, args) });

Deno.test("Converter puts a row's system beside the messages first, once, and refuses two", () => {
  const system = "Be brief.";
  const turns = [{ role: "system", content: system }, user(), bot()];
  assert.deepEqual(read({ system, messages: [user(), bot()] }).messages, turns);
  assert.deepEqual(read({ system, messages: turns }).messages, turns);
  assert.deepEqual(read({ system: "", messages: turns }).messages, turns);
  assert.deepEqual(read({ system: "Sing.", messages: turns }).messages, [
    "system differs from the system turn in messages[0].content: a conversation has one",
  ]);
  assert.deepEqual(read({ system: 7, messages: [user(), bot()] }).messages, [
    "system is a number, not a text",
  ]);
});

Deno.test("Converter masks the turns that are not to be learnt, in every spelling", () => {
  const last = [user(), bot("fine")];
  const masked = { ...bot("bad"), weight: 0 };
  for (const flag of [{ weight: 0 }, { loss: false }, { train: 0 }, { masked: true }, { mask: 1 }]) {
    assert.deepEqual(read({ messages: [user(), bot("bad", flag), ...last] }).messages, [
      user(),
      masked,
      ...last,
    ]);
  }
  for (const flag of [{ weight: 1 }, { loss: true }, { train: null }, { masked: false }]) {
    assert.deepEqual(read({ messages: [user(), bot("good", flag)] }).messages, [user(), bot("good")]);
  }
  const { messages } = read({ messages: [user(), bot("x", { weight: 1, masked: true })] });
  assert.deepEqual(messages, ["messages[1] has weight 1 and masked true, which contradict each other"]);
});

Deno.test("Converter leaves out the turns behind the last one that is learnt, and counts them", () => {
  const { messages, unused } = read({ messages: [user(), bot(), user("again"), bot("bad", { weight: 0 })] });
  assert.deepEqual(messages, [user(), bot()]);
  assert.deepEqual(unused, ["turns after the last trained answer: 2"]);
});

Deno.test("Converter finds the reasoning of an answer wherever it is", () => {
  const thinking = { type: "thinking", thinking: "so" };
  const answers: JsonObject[] = [
    bot("ok", { reasoning_content: "so" }),
    bot("ok", { reasoning: "so\n", reasoning_content: "so", thinking: null }),
    bot("ok", { thinking: "so" }),
    bot("<think>\nso\n</think>\n\nok"),
    { role: "assistant", content: [thinking, { type: "text", text: "ok", cache: null }] },
  ];
  for (const answer of answers) {
    assert.deepEqual(read({ messages: [user(), answer] }).messages, [
      user(),
      { role: "assistant", content: "ok", reasoning_content: "so" },
    ]);
  }
  const problems = (answer: JsonObject) => read({ messages: [user(), answer] }).messages;
  assert.deepEqual(problems(bot("<think>so</think>ok", { reasoning: "else" })), [
    "messages[1].content has two different reasoning texts",
  ]);
  assert.deepEqual(problems(bot("<think>so")), [
    "messages[1].content starts with an unclosed <think>",
  ]);
  assert.deepEqual(problems(bot("", { reasoning: "so" })), [
    "messages[1].content the assistant turn has reasoning but no answer",
  ]);
  assert.deepEqual(problems(bot("ok", { thinking: ["so"] })), ["messages[1].thinking is a list, not a text"]);
  assert.deepEqual(read({ messages: [user(), bot("<think>so</think>ok")] }, "openai").messages, [
    user(),
    bot("<think>so</think>ok"),
  ]);
  assert.deepEqual(read({ messages: [user("<think>so</think>"), bot()] }).messages, [
    user("<think>so</think>"),
    bot(),
  ]);
});

Deno.test("Converter writes calls with ids and JSON arguments, in order", () => {
  const calls = [
    { function: { name: "a", arguments: { x: 1, y: null } } },
    { id: "call_1", type: "function", function: { name: "b", arguments: '{"z": 2}' }, index: 7 },
  ];
  const messages = [
    user(),
    { role: "assistant", content: null, tool_calls: calls },
    { role: "tool", content: "B", name: "b" },
    { role: "tool", content: "A" },
    bot(),
  ];
  const { messages: written, unused } = read({ messages });
  assert.deepEqual(written, [
    user(),
    {
      role: "assistant",
      content: "",
      tool_calls: [made("call_0", "a", '{"x":1}'), made("call_1", "b", '{"z": 2}')],
    },
    { role: "tool", content: "B", tool_call_id: "call_1", name: "b" },
    { role: "tool", content: "A", tool_call_id: "call_0" },
    bot(),
  ]);
  assert.deepEqual(unused, ["messages[].tool_calls[].index: 1"]);
});

Deno.test("Converter reads OpenAI's older functions and the calls of ShareGPT and ms-swift", () => {
  const written = [
    user(),
    { role: "assistant", content: "", tool_calls: [made("call_0", "look", '{"at":1}')] },
    { role: "tool", content: "found", tool_call_id: "call_0" },
    bot(),
  ];
  const tools = [{ type: "function", function: { name: "look" } }];
  const old = read({
    messages: [
      user(),
      { role: "assistant", content: null, function_call: fn("look", '{"at":1}') },
      { role: "function", name: "look", content: "found" },
      bot(),
    ],
    functions: [{ name: "look" }],
  });
  assert.deepEqual(old.messages, [...written.slice(0, 2), { ...written[2], name: "look" }, written[3]]);
  assert.deepEqual(old.extras, { tools });
  const call = '{"name": "look", "arguments": {"at": 1}}';
  const sharegpt = read({
    conversations: [
      { from: "human", value: "hi" },
      { from: "function_call", value: call },
      { from: "observation", value: "found" },
      { from: "gpt", value: "ok" },
    ],
    tools: JSON.stringify([{ name: "look" }]),
  });
  assert.deepEqual(sharegpt, { messages: written, extras: { tools }, unused: [] });
  const swift = read({
    messages: [
      user(),
      bot("I look."),
      { role: "tool_call", content: call },
      { role: "tool_call", content: call },
      { role: "tool_response", content: "1" },
      { role: "tool_response", content: "2" },
      bot(),
    ],
  });
  assert.deepEqual(swift.messages.slice(1, 4), [
    {
      ...bot("I look."),
      tool_calls: [made("call_0", "look", '{"at":1}'), made("call_1", "look", '{"at":1}')],
    },
    { role: "tool", content: "1", tool_call_id: "call_0" },
    { role: "tool", content: "2", tool_call_id: "call_1" },
  ]);
});

Deno.test("Converter takes ids of calls that begin anew once all are answered", () => {
  const asked = { role: "assistant", content: "", tool_calls: [made("call_0", "look")] };
  const found = { role: "tool", content: "found", tool_call_id: "call_0" };
  const row = { messages: [user(), asked, found, bot(), user(), asked, found, bot()] };
  for (const road of ["local", "openai"] as const) {
    assert.deepEqual(read(row, road).messages, row.messages, road);
  }
});

Deno.test("Converter takes an empty cell for an absent one, and a flag's text for the flag", () => {
  const row = { prompt: "hi", completion: "ok" };
  for (const road of ["local", "openai"] as const) {
    assert.equal(
      read({ ...row, image: "", rejected: "", label: "", train: "" }, road).messages.length,
      2,
      road,
    );
    assert.equal(read({ messages: [{ ...user(), images: "" }, bot()] }, road).messages.length, 2, road);
    for (const flag of [{ train: "False" }, { weight: "0" }, { weight: "0.0" }, { masked: "true" }]) {
      assert.match(
        String(read({ ...row, ...flag }, road).messages),
        /excluded from training|excludes the row from training/,
        JSON.stringify(flag),
      );
    }
    assert.equal(read({ ...row, train: "True", weight: "1" }, road).messages.length, 2, road);
  }
});

Deno.test("Converter gives a row's options to the base's template, and names them for services", () => {
  const row = (options: Json) => ({ messages: [user(), bot()], chat_template_kwargs: options });
  const options = { enable_thinking: false, date: null };
  assert.deepEqual(read(row(options)).extras, { chat_template_kwargs: { enable_thinking: false } });
  assert.deepEqual(read(row(JSON.stringify(options))).extras, read(row(options)).extras);
  assert.deepEqual(read(row({ date: null })).extras, {});
  assert.deepEqual(read(row([1])).messages, ["chat_template_kwargs is a list, not an object"]);
  const { extras, unused } = read(row(options), "openai");
  assert.deepEqual([extras, unused], [{}, ["chat_template_kwargs: 1"]]);
});

const asking = (...calls: JsonObject[]) => ({ role: "assistant", content: null, tool_calls: calls });
const result = { role: "tool", content: "r" };
const BROKEN: readonly (readonly [name: string, row: JsonObject, says: RegExp])[] = [
  [
    "arguments that are no JSON",
    { messages: [user(), asking(made("1", "f", "{x")), result, bot()] },
    /^messages\[1\]\.tool_calls\[0\]\.function\.arguments is not valid JSON/,
  ],
  [
    "arguments of Python",
    { messages: [user(), asking(made("1", "f", "{'x': 1}")), result, bot()] },
    /arguments is Python's repr/,
  ],
  [
    "arguments that are a list",
    { messages: [user(), asking(made("1", "f", "[1]")), result, bot()] },
    /arguments is a list, not an object/,
  ],
  [
    "arguments with half a character",
    { messages: [user(), asking(made("1", "f", '{"x": "\\ud800"}')), result, bot()] },
    /^messages\[1\]\.tool_calls\[0\]\.function\.arguments contains half of a surrogate pair/,
  ],
  [
    "a call's name with half a character",
    { messages: [user(), asking(made("1", "f\ud800")), result, bot()] },
    /^messages\[1\]\.content contains half of a surrogate pair/,
  ],
  [
    "tools with half a character",
    { messages: [user(), bot()], tools: [{ name: "f", description: "\udc00" }] },
    /^tools contains half of a surrogate pair/,
  ],
  [
    "a call without a name",
    { messages: [user(), asking({ function: {} }), result, bot()] },
    /tool_calls\[0\] is a tool call without a name/,
  ],
  ["two calls of one id", {
    messages: [user(), asking(made("1", "f"), made("1", "g")), result, result, bot()],
  }, /tool_calls\[1\] has the id of another call/],
  [
    "an unanswered call",
    { messages: [user(), asking(made("1", "f")), user(), bot()] },
    /^messages\[2\]\.content comes before tool call "1" is answered/,
  ],
  [
    "a result of no call",
    { messages: [user(), result, bot()] },
    /^messages\[1\]\.content answers no open tool call: none is open/,
  ],
  ["both spellings of calls", {
    messages: [user(), { ...asking(made("1", "f")), function_call: fn("f") }, result, bot()],
  }, /^messages\[1\]\.function_call .*tool_calls/],
  [
    "calls of the user",
    { messages: [{ ...user(), tool_calls: [made("1", "f")] }, bot()] },
    /tool_calls belongs to a turn of the assistant, not of the user/,
  ],
  [
    "tools that are words",
    { messages: [user(), bot()], tools: ["look"] },
    /^tools\[0\] is not a function with a name/,
  ],
  ["tools that are no JSON", { messages: [user(), bot()], tools: "[{" }, /^tools is not valid JSON/],
  [
    "two lists of tools",
    { messages: [user(), bot()], tools: [{ name: "a" }], functions: [{ name: "b" }] },
    /^functions differs from tools/,
  ],
];
for (const [name, row, says] of BROKEN) {
  Deno.test(`Converter refuses ${name}, on both roads`, () => {
    for (const road of ["local", "openai"] as const) assert.match(read(row, road).messages.join("\n"), says);
  });
}

Deno.test("Converter takes null for absent in rows, turns, calls and schemas", () => {
  const parameters = {
    type: "object",
    properties: { a: { type: "string", enum: ["x", null] }, b: null },
    required: null,
  };
  const row = {
    id: null,
    images: [],
    label: null,
    messages: [
      { ...user(), weight: null, name: null, tool_calls: null },
      { ...asking({ ...made("1", "f"), index: null }), function_call: null, reasoning_content: null },
      { ...result, tool_call_id: null, weight: null },
      { ...bot(), weight: null, tool_calls: [], refusal: null },
    ],
    tools: [{ type: "function", function: { name: "f", parameters, strict: null } }],
    functions: null,
    parallel_tool_calls: null,
  };
  for (const road of ["local", "openai"] as const) {
    const { messages, extras, unused } = read(row, road);
    assert.deepEqual(messages, [
      user(),
      { role: "assistant", content: road === "local" ? "" : null, tool_calls: [made("1", "f")] },
      { ...result, tool_call_id: "1" },
      bot(),
    ]);
    const schema = { type: "object", properties: { a: { type: "string", enum: ["x", null] } } };
    assert.deepEqual(extras, { tools: [{ type: "function", function: { name: "f", parameters: schema } }] });
    assert.deepEqual(unused, []);
  }
});

Deno.test("Accounting names the most frequent fields and counts the rest in little memory", () => {
  const findings = new Findings(Spec.shape.dataset.parse({ source: "a" }).checks);
  const accounting = new Accounting();
  const { shape } = chooseShape(
    Spec.shape.dataset.parse({ source: "a", format: "prompt-completion" }),
    "x",
    [],
  );
  const converter = new Converter(shape, ABILITIES.local, findings, undefined, accounting);
  for (let i = 0; i < 3000; i++) {
    converter.convert(`a:${i}`, { prompt: "p", completion: "c", always: 1, [`once${i}`]: { deep: i } });
  }
  const { unused, more } = accounting.summary();
  assert.deepEqual(unused[0], { field: "always", count: 3000, rows: 3000 });
  assert.equal(unused.length, 50);
  assert.deepEqual(more, { fields: 950, count: 3000 - 49 });
});
