import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import fc from "fast-check";
import { denoFs, sha256 } from "../../src/lib/files/fs.ts";
import { format } from "../../src/steps/format.ts";
import { Bench, jsonl, refusal } from "./drive.ts";

const pair = (prompt: string, completion = "yes") => ({ prompt, completion });
const HOSTED = { kind: "openai", base: "some-model" };

Deno.test("format.run() writes conversations, their origin, and nothing else", async () => {
  await using bench = await Bench.open({ "a.csv": "q,a,room\nHi,Hello,x\n2+2?,4,y\n" });
  const columns = { system: "Be brief.", user: "Q: {{ q }}", assistant: "{{ a }}" };
  const summary = await bench.format(bench.pipeline({ source: "a.csv", format: "columns", columns }));
  assert.deepEqual(await bench.lines("format", "train.jsonl"), [
    {
      origin: "a.csv:2",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Q: Hi" },
        { role: "assistant", content: "Hello" },
      ],
    },
    {
      origin: "a.csv:3",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Q: 2+2?" },
        { role: "assistant", content: "4" },
      ],
    },
  ]);
  assert.deepEqual(summary, {
    format: "columns",
    why: "dataset.format says so",
    train: 2,
    eval: 0,
    warnings: {},
    unused: [{ field: "room", count: 2, rows: 2 }],
  });
  assert.deepEqual(await denoFs.list(join(bench.dir, "out/format")), [
    "report.html",
    "report.json",
    "train.jsonl",
  ]);
  assert.deepEqual((await bench.report()).unused, [{ field: "room", count: 2, rows: 2 }]);
});

Deno.test("format.run() gives the same bytes for the same rows", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => pair(`question ${i % 290}`, `answer ${i}`));
  const digests = async () => {
    await using bench = await Bench.open({ "a.jsonl": jsonl(rows) });
    await bench.format(bench.pipeline({ source: "a.jsonl", split: { eval: 30 } }));
    const dir = join(bench.dir, "out/format");
    const names = await denoFs.list(dir);
    assert.deepEqual(names, ["eval.jsonl", "report.html", "report.json", "train.jsonl"]);
    return await Promise.all(names.map((name) => denoFs.sha256(join(dir, name))));
  };
  assert.deepEqual(await digests(), await digests());
});

Deno.test("format.inputs() depends on what rows become, not on the trainer's limits", async () => {
  await using bench = await Bench.open();
  const inputs = async (dataset: Record<string, unknown>, provider?: Record<string, unknown>) =>
    sha256(
      JSON.stringify(
        await format.inputs(bench.pipeline({ source: "a.jsonl", ...dataset }, provider), bench.env),
      ),
    );
  const plain = await inputs({});
  assert.equal(await inputs({ checks: { too_long: "off" } }), plain);
  assert.notEqual(await inputs({ checks: { leakage: "off" } }), plain);
  assert.notEqual(await inputs({ split: { eval: 3 } }), plain);
  assert.notEqual(await inputs({ format: "messages" }), plain);
  assert.notEqual(await inputs({}, HOSTED), plain);
});

Deno.test("format.run() names row, field and text of each problem, and leaves the row out under warn", async () => {
  const turn = (role: unknown, content: unknown) => ({ role, content });
  const rows = [
    { messages: [turn("user", "fine"), turn("assistant", "yes")] },
    { messages: [turn("user", "x"), turn("bot", "y")] },
    { messages: [turn("user", 5), turn("assistant", "y")] },
    { messages: "text" },
    { messages: [] },
    { messages: [turn("user", "alone")] },
    { messages: [turn("user", "half \ud800"), turn("assistant", "y")] },
    { other: 1 },
  ];
  await using bench = await Bench.open({ "a.jsonl": jsonl(rows) });
  const { message, exitCode } = await refusal(bench.format(bench.pipeline({ source: "a.jsonl" })));
  assert.equal(exitCode, 2);
  assert.match(message, /7 problems in rows that cannot be read as conversations \(dataset\.checks\.rows\)/);
  assert.match(
    message,
    /a\.jsonl:2: messages\[1\]\.role is "bot", which is none of system, user, assistant, tool/,
  );
  assert.match(message, /and 2 more/);
  const found = (await bench.report()).checks.rows.findings.map((f: { field: string; problem: string }) =>
    `${f.field} ${f.problem}`
  );
  assert.deepEqual(found.slice(1), [
    "messages[0].content is a number, not a text",
    "messages is a text, not a list of messages",
    "messages is an empty list",
    "messages[0].content there is no assistant turn to train on",
    "messages[0].content contains half of a surrogate pair",
    "messages is missing, not a list of messages",
  ]);
  const summary = await bench.format(bench.pipeline({ source: "a.jsonl", checks: { rows: "warn" } }));
  assert.deepEqual([summary["train"], summary["warnings"]], [1, { rows: 7 }]);
  assert.equal((await bench.report()).sources[0].unused, 7);
});

const FLAWS: [check: string, roles: [string, string][], problem: RegExp][] = [
  ["order", [["assistant", "a"], ["user", "u"], ["assistant", "b"]], /the assistant speaks before the user/],
  [
    "order",
    [["user", "u"], ["system", "s"], ["assistant", "a"]],
    /a system turn comes after the first turn/,
  ],
  ["order", [["user", "u"], ["user", "v"], ["assistant", "a"]], /two user turns follow each other/],
  ["order", [["user", "u"], ["assistant", "a"], ["user", "v"]], /ends with the user, not with the assistant/],
  ["empty", [["user", "u"], ["assistant", " \n"]], /the assistant turn has no text/],
  [
    "empty",
    [["user", "u"], ["assistant", "\u200b \u3164\u2060"]],
    /no text, only invisible characters such as U\+200B/,
  ],
  ["placeholders", [["user", "u"], ["assistant", " None\ufeff "]], /the assistant turn is only "None"/],
];
for (const [check, turns, problem] of FLAWS) {
  Deno.test(`format.run() treats ${check} as dataset.checks says: ${problem.source}`, async () => {
    const messages = turns.map(([role, content]) => ({ role, content }));
    await using bench = await Bench.open({ "a.jsonl": jsonl([{ messages }]) });
    const pipeline = (severity: string) =>
      bench.pipeline({ source: "a.jsonl", checks: { [check]: severity } });
    assert.match((await refusal(bench.format(pipeline("error")))).message, problem);
    assert.deepEqual((await bench.format(pipeline("warn")))["warnings"], { [check]: 1 });
    assert.deepEqual((await bench.format(pipeline("off")))["warnings"], {});
    assert.equal((await bench.report()).checks[check].count, 0);
    const [example] = await bench.lines("format", "train.jsonl");
    assert.equal(example.messages.at(-1).role, "assistant");
  });
}

Deno.test("format.run() writes tools and their calls for hosted services and for training here", async () => {
  const call = { id: "1", type: "function", function: { name: "w", arguments: "{}" } };
  const row = {
    messages: [
      { role: "user", content: "weather?", name: "ann" },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "1", content: "sunny" },
      { role: "assistant", content: [{ type: "text", text: "Rainy." }], weight: 0 },
      { role: "user", content: "Sure?" },
      { role: "assistant", content: [{ type: "text", text: "Sunny." }] },
    ],
    tools: [{ type: "function", function: { name: "w" } }],
  };
  await using bench = await Bench.open({ "a.jsonl": jsonl([row]) });
  await bench.format(bench.pipeline({ source: "a.jsonl" }, HOSTED));
  assert.deepEqual(await bench.lines("format", "train.jsonl"), [{ origin: "a.jsonl:1", ...row }]);
  await bench.format(bench.pipeline({ source: "a.jsonl" }));
  assert.deepEqual(await bench.lines("format", "train.jsonl"), [{
    origin: "a.jsonl:1",
    messages: [
      { role: "user", content: "weather?" },
      { role: "assistant", content: "", tool_calls: [call] },
      { role: "tool", content: "sunny", tool_call_id: "1" },
      { role: "assistant", content: "Rainy.", weight: 0 },
      { role: "user", content: "Sure?" },
      { role: "assistant", content: "Sunny." },
    ],
    tools: row.tools,
  }]);
  assert.deepEqual((await bench.report()).unused, [{ field: "messages[].name", count: 1, rows: 1 }]);
});

Deno.test("format.run() finds repeats and leaks as a naive comparison does", async () => {
  const word = fc.constantFrom(
    "on",
    "On",
    "ON ",
    "off",
    "ﬁn",
    "fin",
    "straße",
    "STRASSE",
    "Σ",
    "ς",
    "a  b",
    "a b",
  );
  const row = fc.tuple(word, fc.constantFrom("x", "y")).map(([prompt, completion]) =>
    pair(prompt, completion)
  );
  const rows = fc.array(row, { minLength: 1, maxLength: 12 });
  const folded = (text: string) =>
    text.normalize("NFKC").replace(/\s+/g, " ").trim().toUpperCase().toLowerCase().replace("ς", "σ");
  await using bench = await Bench.open();
  await fc.assert(
    fc.asyncProperty(rows, rows, async (train, evaluation) => {
      await bench.write("a.jsonl", jsonl(train));
      await bench.write("b.jsonl", jsonl(evaluation));
      const checks = { leakage: "warn" };
      await bench.format(bench.pipeline({ source: "a.jsonl", eval: "b.jsonl", checks }));
      const { duplicates, leakage } = (await bench.report()).checks;
      assert.equal(duplicates.count, train.length - new Set(train.map((r) => JSON.stringify(r))).size);
      const inputs = train.map(({ prompt }) => folded(prompt));
      const leaks = evaluation.flatMap(({ prompt }, i) => {
        const first = inputs.indexOf(folded(prompt));
        return first < 0
          ? []
          : [[`b.jsonl:${i + 1}`, `is the same as that of the training row a.jsonl:${first + 1}`]];
      });
      assert.equal(leakage.count, leaks.length);
      const found = leakage.findings.map((f: { origin: string; problem: string }) => [f.origin, f.problem]);
      assert.deepEqual(found, leaks);
    }),
    { numRuns: 60 },
  );
});

Deno.test("format.run() refuses sets that end up empty", async () => {
  await using bench = await Bench.open({
    "a.jsonl": jsonl([pair("a"), pair("b"), pair("c")]),
    "bad.jsonl": jsonl([{ prompt: 1, completion: "x" }]),
  });
  const message = async (dataset: Record<string, unknown>) =>
    (await refusal(bench.format(bench.pipeline(dataset)))).message;
  assert.match(
    await message({ source: "a.jsonl", split: { eval: 3 } }),
    /dataset\.split\.eval = 3 rows: the data set has 3/,
  );
  assert.match(await message({ source: "a.jsonl", split: { eval: 1e-9 } }), /leaves none for evaluation/);
  const format = "prompt-completion";
  assert.match(
    await message({ source: "bad.jsonl", format, checks: { rows: "warn" } }),
    /no row is left for training/,
  );
  assert.match(
    await message({ source: "a.jsonl", eval: "bad.jsonl", format, checks: { rows: "warn" } }),
    /no row is left for evaluation/,
  );
});

Deno.test("format.run() escapes what rows hold in its page", async () => {
  await using bench = await Bench.open({
    "<i>.jsonl": jsonl([pair('<script>alert("1")</script>', "nan"), pair("a", "")]),
  });
  await refusal(bench.format(bench.pipeline({ source: "<i>.jsonl" })));
  const page = await denoFs.readText(join(bench.dir, "out/format/report.html"));
  assert.ok(!/<script|<i>/.test(page));
  assert.ok(page.includes("&lt;i&gt;.jsonl:2"));
  assert.ok(!/https?:/.test(page), "the page needs nothing else");
});
