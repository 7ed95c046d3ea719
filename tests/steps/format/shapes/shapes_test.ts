import assert from "../../../deps/assert.ts";
import { ABILITIES } from "../../../../src/providers/abilities.ts";
import { Spec } from "../../../../src/spec/schema/schema.ts";
import { checkConversation } from "../../../../src/steps/format/conversation/check_conversation.ts";
import { RowView } from "../../../../src/steps/format/shapes/row_view.ts";
import { chooseShape } from "../../../../src/steps/format/shapes/shapes.ts";
import type { JsonObject } from "../../../../src/lib/json/json.ts";
import type { UsageError } from "../../../../src/lib/errors.ts";

function dataset(format: string, columns?: Record<string, string>) {
  return Spec.shape.dataset.parse({ source: "a.jsonl", format, ...columns && { columns } });
}

/** What a row becomes, as `role: text`, or why it becomes nothing. */
function read(row: JsonObject, format = "auto", columns?: Record<string, string>): string[] {
  const { shape } = chooseShape(dataset(format, columns), "dataset.source", [row]);
  const problems: string[] = [];
  const complain = (field: string, problem: string) => void problems.push(`${field} ${problem}`);
  const raw = shape.read(new RowView(row), complain);
  const checked = raw && checkConversation(raw, ABILITIES.local, complain);
  return checked ? checked.turns.map(({ role, text }) => `${role}: ${text}`) : problems;
}

const EXPECTED: [name: string, row: JsonObject, turns: string[]][] = [
  [
    "messages",
    {
      messages: [{ role: "developer", content: "S" }, {
        role: "user",
        content: [{ type: "text", text: "U" }],
      }, { role: "assistant", content: "A" }],
    },
    ["system: S", "user: U", "assistant: A"],
  ],
  ["prompt-completion", { prompt: "U", completion: "A", system: "S" }, [
    "system: S",
    "user: U",
    "assistant: A",
  ]],
  [
    "prompt-completion",
    { prompt: [{ role: "user", content: "U" }], completion: [{ role: "assistant", content: "A" }] },
    ["user: U", "assistant: A"],
  ],
  ["alpaca", { instruction: "I", input: "X", output: "O", system: "" }, ["user: I\nX", "assistant: O"]],
  [
    "alpaca",
    { instruction: "I", output: "O", history: [["q", "a"]], system: "S" },
    ["system: S", "user: q", "assistant: a", "user: I", "assistant: O"],
  ],
  [
    "sharegpt",
    {
      conversations: [{ from: "system", value: "S" }, { from: "human", value: "U" }, {
        from: "gpt",
        value: "A",
      }],
    },
    ["system: S", "user: U", "assistant: A"],
  ],
  [
    "sharegpt",
    { system: "S", conversations: [{ role: "user", content: "U" }, { role: "assistant", content: "A" }] },
    ["system: S", "user: U", "assistant: A"],
  ],
];
for (const [name, row, turns] of EXPECTED) {
  Deno.test(`chooseShape() recognises and reads ${name}: ${Object.keys(row).join(", ")}`, () => {
    assert.deepEqual(read(row), turns);
    assert.deepEqual(read(row, name), turns);
    const { shape, why } = chooseShape(dataset("auto"), "dataset.source", [row, row, { odd: 1 }]);
    assert.equal(shape.name, name);
    assert.match(why, /^2 of the first 3 rows have .*"/);
  });
}

Deno.test("chooseShape() refuses to guess", () => {
  const choose = (...rows: JsonObject[]) => () => chooseShape(dataset("auto"), "dataset.source", rows);
  const alpaca = { instruction: "I", output: "O" };
  const sharegpt = { conversations: [{ from: "human", value: "U" }] };
  assert.throws(choose(alpaca, sharegpt), /its first 2 rows fit alpaca \(1\) and sharegpt \(1\)/);
  assert.throws(choose({ question: "q", reply: "r" }), (error: UsageError) => {
    assert.match(
      error.message,
      /fields "question", "reply", which match no known format\n {2}messages: a field "messages"/,
    );
    assert.match(error.message, /alpaca: the fields "instruction" and "output", and if there "input"/);
    assert.match(error.hint ?? "", /user: "\{\{ question \}\}"\n +assistant: "\{\{ reply \}\}"$/);
    return true;
  });
});

Deno.test("columns() renders texts, numbers and booleans, and nothing else", () => {
  const render = (value: JsonObject) =>
    read({ a: "A", ...value }, "columns", { user: "{{v}}!", assistant: "{{ a }}" });
  assert.deepEqual(render({ v: "t" }), ["user: t!", "assistant: A"]);
  assert.deepEqual(render({ v: 1.5 }), ["user: 1.5!", "assistant: A"]);
  assert.deepEqual(render({ v: false }), ["user: false!", "assistant: A"]);
  assert.deepEqual(render({ v: null }), ["v is null"]);
  assert.deepEqual(render({ v: [1] }), [
    "v is a list; a template takes text, numbers, true and false; lists and objects need {{ v | json }}",
  ]);
  assert.match(render({ v: 2 ** 60 }).join(), /^v is a number with more digits[^,]*$/);
  assert.throws(() => render({ w: 1 }), /no row of dataset\.source has a field "v"/);
  assert.throws(
    () => read({ a: 1 }, "columns", { user: "{{ a", assistant: "x" }),
    /Cannot use dataset\.columns\.user: "\{\{" has no partner/,
  );
});

Deno.test("shapes name the field that is wrong", () => {
  assert.deepEqual(read({ prompt: "U", completion: 3 }, "prompt-completion"), [
    "completion is a number, not a text",
  ]);
  assert.deepEqual(read({ instruction: "I", output: "O", input: 3 }, "alpaca"), [
    "input is a number, not a text",
  ]);
  assert.deepEqual(read({ instruction: "I", output: "O", history: [["q"]] }, "alpaca"), [
    "history[0] is not a pair of question and answer",
  ]);
  assert.deepEqual(read({ conversations: [{ from: "alien", value: "x" }] }, "sharegpt"), [
    'conversations[0].from is "alien", which is none of system, user, assistant, tool',
  ]);
  assert.deepEqual(read({ conversations: [7] }, "sharegpt"), [
    "conversations[0] is a number, not an object with from and value",
  ]);
  const weighed = [{ role: "user", content: "u" }, { role: "assistant", content: "a", weight: 0 }];
  assert.deepEqual(read({ messages: weighed }), [
    "messages[0].content starts a conversation whose answers are all excluded from training",
  ]);
});
