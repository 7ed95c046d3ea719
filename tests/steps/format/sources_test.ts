import assert from "../../deps/assert.ts";
import type { JsonObject } from "../../../src/lib/json/json.ts";
import { format } from "../../../src/steps/format.ts";
import { Bench, jsonl, refusal } from "../drive.ts";

const range = (count: number) => [...Array(count).keys()];
const asked = range(120).map((i) => ({ instruction: `double ${i}`, output: `${2 * i}` }));
const talked = range(30).map((i) => ({
  conversations: [{ from: "human", value: `halve ${2 * i}` }, { from: "gpt", value: `${i}` }],
}));
const strange = range(5).map((i) => ({ q: `ask ${i}`, a: `tell ${i}` }));
const unreadable = range(8).map((i) => ({ prompt: `p${i}`, completion: [i] }));

async function bench(files: Record<string, readonly JsonObject[]>): Promise<Bench> {
  const texts = Object.entries(files).map(([name, rows]) => [name, jsonl(rows)]);
  return await Bench.open(Object.fromEntries(texts));
}

Deno.test("each file of a list is recognised for itself, however long the first one is", async () => {
  await using b = await bench({ "asked.jsonl": asked, "talked.jsonl": talked, "more.jsonl": [asked[0]!] });
  const { format, why, train } = await b.format(
    b.pipeline({ source: ["asked.jsonl", "talked.jsonl", "more.jsonl"] }),
  );
  assert.deepEqual([format, train], ["alpaca and sharegpt", 151]);
  assert.equal(
    why,
    'asked.jsonl and 1 more: the first 100 rows have the fields "instruction" and "output"; ' +
      'talked.jsonl: the first 30 rows have a field "conversations": a list of {from, value}',
  );
  const { sources } = await b.report();
  assert.deepEqual(sources.map(({ path, format }: JsonObject) => [path, format]), [
    ["asked.jsonl", "alpaca"],
    ["talked.jsonl", "sharegpt"],
    ["more.jsonl", "alpaca"],
  ]);
  assert.equal(sources[2].why, 'the first row has the fields "instruction" and "output"');
  const lines = await b.lines("format", "train.jsonl");
  assert.deepEqual(lines[121].messages.map(({ content }: JsonObject) => content), ["halve 2", "1"]);
});

Deno.test("a source names its format and columns, and the dataset's are for the others", async () => {
  await using b = await bench({ "asked.jsonl": asked, "s1.jsonl": strange, "s2.jsonl": strange });
  const columns = { user: "{{ q }}?", assistant: "{{ a }}" };
  await b.format(b.pipeline({
    source: [
      "s1.jsonl",
      { path: "asked.jsonl", format: "alpaca" },
      { path: "s2.jsonl", format: "columns", columns: { user: "{{ a }}", assistant: "{{ q }}" } },
    ],
    format: "columns",
    columns,
  }));
  const lines = await b.lines("format", "train.jsonl");
  const texts = lines.map(({ messages }) => messages.map(({ content }: JsonObject) => content).join(" > "));
  assert.deepEqual([texts[0], texts[5], texts.at(-1)], ["ask 0? > tell 0", "double 0 > 0", "tell 4 > ask 4"]);
  assert.equal(
    (await b.report()).train.why,
    "s1.jsonl and 1 more: dataset.format says so; asked.jsonl: its entry in the pipeline file says so",
  );
});

Deno.test("rows of several kinds in one file are refused, with advice that loses none", async () => {
  await using b = await bench({ "mixed.jsonl": [...asked.slice(0, 4), ...talked.slice(0, 3)] });
  const { message, hint } = await refusal(b.format(b.pipeline({ source: "mixed.jsonl" })));
  assert.match(message, /its first 7 rows fit alpaca \(4\) and sharegpt \(3\)/);
  assert.match(hint!, /each kind into its own file/);
  await b.write(
    "both.jsonl",
    jsonl([{ ...asked[0], prompt: "p", completion: "c" }, { ...asked[1], prompt: "p" }]),
  );
  const both = await refusal(b.format(b.pipeline({ source: "both.jsonl" })));
  assert.equal(both.hint, "Set it in dataset: format: alpaca");
});

Deno.test("a file of which no row can be read is refused, whatever the check says, and nothing offers to lose it", async () => {
  await using b = await bench({ "asked.jsonl": asked, "bad.jsonl": unreadable });
  const source = ["asked.jsonl", { path: "bad.jsonl", format: "prompt-completion" }];
  const stopped = await refusal(b.format(b.pipeline({ source })));
  assert.match(stopped.message, /8 problems in rows that cannot be read.*\n {2}bad\.jsonl:1: completion/);
  assert.match(stopped.hint!, /^Fix the rows: none of those in "bad\.jsonl" can be read; /);
  assert.doesNotMatch(stopped.hint!, /warn/);
  for (const split of [undefined, { eval: 3 }, { eval: 0.2 }]) {
    const lost = await refusal(
      b.format(b.pipeline({ source, checks: { rows: "warn" }, ...split && { split } })),
    );
    assert.equal(lost.code, "source-lost");
    assert.match(lost.message, /no row of "bad\.jsonl" can be read.*\n {2}bad\.jsonl:1: completion.*$/);
    assert.equal(lost.exitCode, 2);
  }
  // Also where an earlier file alone has more problems than are kept.
  await b.write("half.jsonl", jsonl([...asked, ...range(30).map((i) => ({ instruction: i }))]));
  const files = { source: ["half.jsonl", source[1]], checks: { rows: "warn" } };
  const { message } = await refusal(b.format(b.pipeline(files)));
  assert.match(message, /no row of "bad\.jsonl" can be read.*\n {2}bad\.jsonl:1: completion.*$/);
});

Deno.test("advice to leave rows out says how many of how many", async () => {
  await using b = await bench({ "a.jsonl": [...asked.slice(0, 9), { instruction: "i", output: 3 }] });
  const { hint } = await refusal(b.format(b.pipeline({ source: "a.jsonl" })));
  assert.match(hint!, /^Fix the rows, or leave 1 of the 10 rows out with checks\.rows: warn; /);
  const most = [asked[0]!, { instruction: "i", output: 3 }, { instruction: "i", output: 4 }];
  await b.write("a.jsonl", jsonl(most));
  const { hint: other } = await refusal(b.format(b.pipeline({ source: "a.jsonl" })));
  assert.match(other!, /^Fix the rows: 2 of 3 cannot be read; /);
});

Deno.test("where no row can be read, a split says why instead of how many there are", async () => {
  await using b = await bench({
    "bad.jsonl": unreadable,
    "few.jsonl": [...unreadable, { prompt: "p", completion: "c" }],
  });
  const format = "prompt-completion";
  for (const rows of ["error", "warn"]) {
    for (const split of [{ eval: 2 }, { eval: 0.5 }]) {
      const dataset = { source: "bad.jsonl", format, split, checks: { rows } };
      const { message } = await refusal(b.format(b.pipeline(dataset)));
      assert.match(message, /\n {2}bad\.jsonl:1: completion.*\n/);
      assert.doesNotMatch(message, /hold out|split/);
    }
  }
  const dataset = { source: "few.jsonl", format, split: { eval: 2 }, checks: { rows: "warn" } };
  assert.match(
    (await refusal(b.format(b.pipeline(dataset)))).message,
    /eval = 2 rows: the data set has 1 that can be used; 8 rows cannot be read\n {2}few\.jsonl:1: completion/,
  );
});

const chat = [
  { messages: [{ role: "kunde", content: "Hi" }, { role: "agentin", content: "Hello" }] },
  { messages: JSON.stringify([{ role: "user", content: "Bye" }, { role: "agentin", content: "Ciao" }]) },
];

Deno.test("roles say who speaks under other names, for all files or for one", async () => {
  const swapped = [{ conversations: [{ from: "gpt", value: "Q" }, { from: "human", value: "A" }] }];
  await using b = await bench({ "chat.jsonl": chat, "swapped.jsonl": swapped });
  const roles = { kunde: "user", agentin: "assistant" };
  const texts = async () =>
    (await b.lines("format", "train.jsonl")).map(({ messages }) =>
      messages.map(({ role, content }: JsonObject) => `${role} ${content}`).join(", ")
    );
  await b.format(b.pipeline({ source: "chat.jsonl", roles }));
  assert.deepEqual(await texts(), ["user Hi, assistant Hello", "user Bye, assistant Ciao"]);
  // A name that only one of the sets has is in use.
  await b.write(
    "held.jsonl",
    jsonl([{ messages: [{ role: "user", content: "?" }, { role: "agentin", content: "!" }] }]),
  );
  await b.format(b.pipeline({ source: "chat.jsonl", eval: "held.jsonl", roles }));
  await b.format(b.pipeline({
    source: ["chat.jsonl", { path: "swapped.jsonl", roles: { gpt: "user", human: "assistant" } }],
    roles,
  }));
  assert.deepEqual((await texts())[2], "user Q, assistant A");
});

Deno.test("a speaker whom no row names is refused, and so is one whom no role is given", async () => {
  await using b = await bench({ "chat.jsonl": chat });
  const words = async (roles: Record<string, string>) => {
    const { message, hint } = await refusal(b.format(b.pipeline({ source: "chat.jsonl", roles })));
    return `${message}\n${hint}`;
  };
  const checked = { kunde: "user", agentin: "assistant", agentn: "assistant" };
  assert.match(await words(checked), /Cannot use dataset\.roles: no speaker "agentn" in the rows\n/);
  const stranger = await words({ kunde: "user" });
  assert.match(stranger, /messages\[1\]\.role is "agentin", which is none of/);
  assert.match(stranger, /\nIf "agentin" is system, user, assistant or tool, .*dataset\.roles/);
});

Deno.test("format.inputs() holds what sources say of their rows, and nothing where none does", async () => {
  await using b = await bench({ "a.jsonl": asked, "b.jsonl": talked });
  const inputs = async (dataset: Record<string, unknown>) =>
    JSON.stringify(await format.inputs(b.pipeline(dataset), b.env));
  const plain = await inputs({ source: "a.jsonl" });
  assert.doesNotMatch(plain, /sources|roles/);
  assert.equal(await inputs({ source: [{ path: "a.jsonl", encoding: "utf-8" }, "b.jsonl"] }), plain);
  const others = [{ format: "alpaca" }, { roles: { a: "user" } }, {
    format: "columns",
    columns: { user: "{{ a }}", assistant: "{{ b }}" },
  }];
  const found = await Promise.all(
    others.map((options) => inputs({ source: { path: "a.jsonl", ...options } })),
  );
  assert.equal(new Set([plain, ...found, await inputs({ source: "a.jsonl", roles: { a: "user" } })]).size, 5);
});

Deno.test("a number that was rounded is refused where it is used, and only there", async () => {
  const big =
    '{"id": 12345678901234567890, "messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]}\n';
  const used = '{"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}], ' +
    '"tools": [{"type": "function", "function": {"name": "f", "parameters": {"maximum": 12345678901234567890}}}]}\n';
  await using b = await Bench.open({
    "a.jsonl": big,
    "b.jsonl": used,
    "c.csv": 'messages\n"[{""x"": 12345678901234567890}]"\n',
  });
  assert.equal((await b.format(b.pipeline({ source: "a.jsonl" })))["train"], 1);
  assert.match(
    (await refusal(b.format(b.pipeline({ source: "b.jsonl" })))).message,
    /b\.jsonl:1: tools\[0\]\.function\.parameters\.maximum is a number with more digits/,
  );
  assert.match(
    (await refusal(b.format(b.pipeline({ source: "a.jsonl", split: { eval: 0.5, by: "id" } })))).message,
    /a\.jsonl:1: id is a number with more digits/,
  );
  const columns = { user: "{{ id }}", assistant: "{{ messages | json }}" };
  assert.match(
    (await refusal(b.format(b.pipeline({ source: "a.jsonl", format: "columns", columns })))).message,
    /a\.jsonl:1: id is a number with more digits/,
  );
  const decimals = (pi: string) => `{"q": "pi", "a": ${pi}, "unused": 3.14159265358979323846}\n`;
  const answers = { user: "{{ q }}", assistant: "{{ a }}" };
  const ofPi = async (pi: string) => {
    await b.write("pi.jsonl", decimals(pi));
    return b.pipeline({ source: "pi.jsonl", format: "columns", columns: answers });
  };
  for (const pi of ["3.141592653589793", "0.10000000000000000000", "-0.00000000000000000012"]) {
    assert.equal((await b.format(await ofPi(pi)))["train"], 1);
  }
  const { message } = await refusal(b.format(await ofPi("3.14159265358979323846")));
  assert.match(message, /pi\.jsonl:1: a is a number with more digits/);
});
