import assert from "../../../deps/assert.ts";
import fc from "fast-check";
import { parse } from "yaml";
import type { UsageError } from "../../../../src/lib/errors.ts";
import type { JsonObject } from "../../../../src/lib/json/json.ts";
import { columns } from "../../../../src/steps/format/shapes/columns.ts";
import { chooseShape } from "../../../../src/steps/format/shapes/shapes.ts";
import { RowView } from "../../../../src/steps/format/shapes/row_view.ts";
import { Bench, jsonl, refusal } from "../../drive.ts";

type Dataset = Record<string, unknown>;

/** What format says of the rows, or the conversations it makes of them as `role: text` lists. */
async function outcome(files: Record<string, readonly JsonObject[]>, dataset: Dataset) {
  const texts = Object.entries(files).map(([name, rows]) => [name, jsonl(rows)]);
  await using bench = await Bench.open(Object.fromEntries(texts));
  const pipeline = bench.pipeline(dataset);
  try {
    await bench.format(pipeline);
  } catch {
    const { message, hint } = await refusal(bench.format(pipeline));
    return {
      message: message.replaceAll(bench.dir, ""),
      hint: hint?.replaceAll(bench.dir, "") ?? "",
      turns: [],
    };
  }
  const lines = await bench.lines("format", "train.jsonl");
  const turns = lines.map(({ messages }) =>
    messages.map(({ role, content }: { role: string; content: string }) => `${role}: ${content}`)
  );
  return { message: "", hint: "", turns };
}

/** The lines of a hint that belong under `dataset:`, as the pipeline file would have them. */
function pasted(hint: string): Dataset {
  assert.match(hint, /^If these are the right fields, add to dataset:\n/);
  const lines = hint.split("\n").filter((line) => line.startsWith("  "));
  return (parse(["dataset:", "  source: a.jsonl", ...lines].join("\n")) as { dataset: Dataset }).dataset;
}

const PROPOSED: [name: string, rows: JsonObject[], first: string[], message: RegExp, note?: RegExp][] = [
  [
    "a number beside the question, and a topic",
    [{ nr: "7", topic: "x", question: "Why?", answer: "So." }, {
      nr: "8",
      topic: "x",
      question: "Who?",
      answer: "Me.",
    }],
    ["user: Why?", "assistant: So."],
    /fields "nr", "topic", "question", "answer", which match no known format/,
  ],
  [
    "an instruction with a passage in some rows",
    [
      { instruction: "Sum up", passage: "Long text", response: "Short", category: "c" },
      { instruction: "Name one", passage: "", response: "Ann", category: "c" },
      { instruction: "Name two", passage: null, response: "Ann, Bo", category: "c" },
    ],
    ["user: Sum up\nLong text", "assistant: Short"],
    /"passage" \(a text, null\)/,
  ],
  [
    "names in another style",
    [{ "System Prompt": "Be kind", userInput: "Hi", model_output: "Hello" }],
    ["system: Be kind", "user: Hi", "assistant: Hello"],
    /./,
  ],
  [
    "names that share a word with what is about the row",
    [{ question_id: "7", "user question": "Why?", answer_source: "web", "final answer": "So." }],
    ["user: Why?", "assistant: So."],
    /./,
  ],
  [
    "an object as the answer",
    [{ instruction: "Read", input: "7 red", output: { z: 7, a: { b: [null, "é"] } } }],
    ["user: Read\n7 red", 'assistant: {"z":7,"a":{"b":[null,"é"]}}'],
    /they have the fields of alpaca, but "output" is an object of \{z, a\} in 1 of 1 rows, not a text$/,
    /^"output" becomes JSON text\. metric: json_equal in evaluate compares such answers as values$/m,
  ],
  [
    "a number as the answer",
    [{ prompt: "2+2", completion: 4 }, { prompt: "2+3", completion: 5 }],
    ["user: 2+2", "assistant: 4"],
    /fields of prompt-completion, but "completion" is a number in 2 of 2 rows, not a text$/,
    /^"completion" becomes the text of the number$/m,
  ],
  [
    "a question with choices",
    [{ id: "1", question: "Which?", choices: ["a", "b"], answerKey: "B" }],
    ['user: Which?\n["a","b"]', "assistant: B"],
    /"choices" \(a list\)/,
  ],
  [
    "documents and summaries",
    [{ document: "Long", summary: "Short", url: "x" }],
    ["user: Long", "assistant: Short"],
    /./,
  ],
];
for (const [name, rows, first, message, note] of PROPOSED) {
  Deno.test(`what is proposed for ${name} trains the right thing once it is pasted`, async () => {
    const refused = await outcome({ "a.jsonl": rows }, { source: "a.jsonl" });
    assert.match(refused.message, message);
    if (note) assert.match(refused.hint, note);
    const { turns } = await outcome({ "a.jsonl": rows }, pasted(refused.hint));
    assert.equal(turns.length, rows.length);
    assert.deepEqual(turns[0], first);
  });
}

Deno.test("a passage that is missing leaves no white space behind", async () => {
  const [, rows] = PROPOSED[1]!;
  const { hint } = await outcome({ "a.jsonl": rows }, { source: "a.jsonl" });
  const { turns } = await outcome({ "a.jsonl": rows }, pasted(hint));
  assert.deepEqual(turns.map(([user]) => user), [
    "user: Sum up\nLong text",
    "user: Name one",
    "user: Name two",
  ]);
});

const NOT_PROPOSED: [name: string, rows: JsonObject[], hint: RegExp][] = [
  [
    "one text",
    [{ text: "Question: x Answer: y" }],
    /^Only "text" is a text in every row: there is no field with an answer/,
  ],
  [
    "a text and what is about it",
    [{ text: "x", source: "web", id: "3" }],
    /templates such as "\{\{ text \}\}"; texts in/,
  ],
  [
    "two languages",
    [{ en: "house", nl: "huis" }],
    /templates such as "\{\{ en \}\}"; texts in every row are "en", "nl"$/,
  ],
  ["a judgement of an answer", [{ question: "x", label: true }], /there is no field with an answer to learn/],
  [
    "an answer that some rows lack",
    [{ question: "x", answer: "y" }, { question: "z" }],
    /there is no field with an answer/,
  ],
  ["no answers at all", [{ prompt: "x", completion: null }], /^Only "prompt" is a text in every row/],
  [
    "turns with other members",
    [{ messages: [{ speaker: "a", text: "b" }] }],
    /^Give "messages" as a list of \{role, content\}$/,
  ],
];
for (const [name, rows, expected] of NOT_PROPOSED) {
  Deno.test(`nothing is proposed for ${name}`, async () => {
    const { message, hint } = await outcome({ "a.jsonl": rows }, { source: "a.jsonl" });
    assert.match(message, /^Cannot tell how the rows of dataset\.source become conversations/);
    assert.match(hint, expected);
    assert.doesNotMatch(hint, /columns: \{/);
  });
}

Deno.test("a proposal names fields that exist, none that are about the row, and loses no row", () => {
  const names = [
    "question",
    "answer",
    "context",
    "id",
    "url",
    "category",
    "output",
    "instruction",
    "my prompt",
    "résumé",
  ];
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("a text", 'b: "c"', "{{ x }}", "- d\n#e", "'") },
    fc.constantFrom<JsonObject[string]>(3, null, { a: 1 }, ["x"], true),
  );
  const rows = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 6 }).chain((fields) => {
    const row = fc.record(Object.fromEntries(fields.map((field) => [field, value])), {
      requiredKeys: fields.slice(1),
    });
    return fc.array(row, { minLength: 1, maxLength: 4 });
  }) as fc.Arbitrary<JsonObject[]>;
  let proposals = 0;
  fc.assert(
    fc.property(rows, (rows) => {
      const hint = hintFor(rows);
      if (!hint.startsWith("If these are")) return;
      proposals++;
      const shape = columns(pasted(hint)["columns"] as Parameters<typeof columns>[0]);
      for (const field of shape.fields) {
        assert.ok(rows.some((row) => Object.hasOwn(row, field)), field);
        assert.ok(!["id", "url", "category"].includes(field), field);
      }
      for (const row of rows) {
        assert.ok(shape.read(new RowView(row), (field, problem) => assert.fail(`${field} ${problem}`)));
      }
    }),
    { numRuns: 2000, seed: 5 },
  );
  assert.ok(proposals > 100, `${proposals} of 2000 had a proposal`);
});

/** The hint with which rows are refused; empty where they are not. */
function hintFor(rows: readonly JsonObject[]): string {
  try {
    chooseShape({ format: "auto" }, "dataset.source", rows);
    return "";
  } catch (error) {
    return (error as UsageError).hint ?? "";
  }
}

Deno.test("beside other files, the proposal is the file's entry in the list", async () => {
  const files = {
    "a.jsonl": [{ instruction: "i", output: "o" }],
    "b.jsonl": [{ question: "q", answer: "a" }],
  };
  const { message, hint } = await outcome(files, {
    source: ["a.jsonl", { path: "b.jsonl", encoding: "utf-8" }],
  });
  assert.match(message, /the rows of "b\.jsonl" become conversations/);
  assert.match(hint, /list the file in dataset\.source .*:\n/);
  const [entry] = parse(hint.slice(hint.indexOf("\n"))) as [Dataset];
  assert.deepEqual(entry, {
    path: "b.jsonl",
    encoding: "utf-8",
    format: "columns",
    columns: { user: "{{ question }}", assistant: "{{ answer }}" },
  });
  const { turns } = await outcome(files, { source: ["a.jsonl", entry] });
  assert.deepEqual(turns, [["user: i", "assistant: o"], ["user: q", "assistant: a"]]);
});

Deno.test("where all files need the same words, they are the dataset's", async () => {
  const rows = (n: number) => [{ question: `q${n}`, answer: "a" }];
  const files = { "a.jsonl": rows(1), "b.jsonl": rows(2), "held.jsonl": rows(3) };
  const dataset = { source: ["a.jsonl", "b.jsonl"], eval: "held.jsonl" };
  const { message, hint } = await outcome(files, dataset);
  assert.match(
    message,
    /rows of "a\.jsonl" become[^]*rows of "b\.jsonl" become[^]*rows of dataset\.eval become/,
  );
  const { turns } = await outcome(files, { ...pasted(hint), ...dataset });
  assert.deepEqual(turns, [["user: q1", "assistant: a"], ["user: q2", "assistant: a"]]);
  const other = await outcome({ ...files, "held.jsonl": [{ prompt: "p", completion: "c" }] }, dataset);
  assert.match(
    other.hint,
    /list the file in dataset\.source .*:\n {2}- path: a\.jsonl\n[^]*\n {2}- path: b\.jsonl\n/,
  );
});

Deno.test("files that nobody can read are told together", async () => {
  const { message, hint } = await outcome({
    "a.jsonl": [{ x: "1" }],
    "b.jsonl": [{ question: "q", answer: "a" }],
  }, {
    source: ["a.jsonl", "b.jsonl"],
  });
  assert.match(message, /rows of "a\.jsonl" become[^]*\n.*rows of "b\.jsonl" become/);
  assert.match(hint, /Only "x" is a text[^]*\n {2}- path: b\.jsonl/);
});
