import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { parse } from "yaml";
import { extract } from "../../../src/steps/extract.ts";
import { Bench, refusal } from "../drive.ts";

type Files = Record<string, string | Uint8Array>;

/** The rows that a source gives, or the words of its refusal, advice included. */
async function read(files: Files, source: unknown): Promise<unknown[] | string> {
  await using bench = await Bench.open(files);
  const pipeline = bench.pipeline({ source });
  try {
    await bench.extract(pipeline);
  } catch {
    const { message, hint } = await refusal(bench.extract(pipeline));
    return [message, hint ?? ""].join("\n");
  }
  return (await bench.lines("extract", "rows.jsonl")).map(({ row }) => row);
}

/** The entries for dataset.source that a refusal proposes. */
function proposed(words: unknown[] | string): unknown[] {
  assert.equal(typeof words, "string");
  return (words as string).split("\n").flatMap((line) => {
    const [, entry] = /^ {2}(?:if|where) .*?: (\{.*\})$/.exec(line) ?? [];
    return entry === undefined ? [] : [parse(entry)];
  });
}

const utf16 = (text: string, little = true) => {
  const bytes = [...`\uFEFF${text}`].flatMap((sign) => {
    const code = sign.charCodeAt(0);
    return little ? [code & 255, code >> 8] : [code >> 8, code & 255];
  });
  return new Uint8Array(bytes);
};
const latin1 = (text: string) => new Uint8Array([...text].map((sign) => sign.charCodeAt(0)));

Deno.test("a .tsv has no quotes: cells that begin or end with one are texts", async () => {
  const text = 'ask\ttell\n"Stop, he cried\tHalt\nnever mind\tegal\nor go"\tgeh\na 3" nail\tein "Nagel"\n';
  assert.deepEqual(await read({ "a.tsv": text }, "a.tsv"), [
    { ask: '"Stop, he cried', tell: "Halt" },
    { ask: "never mind", tell: "egal" },
    { ask: 'or go"', tell: "geh" },
    { ask: 'a 3" nail', tell: 'ein "Nagel"' },
  ]);
});

const QUOTED: [name: string, text: string, line: number, rows: unknown[]][] = [
  ["doubled quotes", 'ask\ttell\nhi\tho\n"say ""a"""\tb\n', 3, [
    { ask: "hi", tell: "ho" },
    { ask: 'say "a"', tell: "b" },
  ]],
  ["a header in quotes", '"ask"\t"tell"\n"x"\t"y"\n', 1, [{ ask: "x", tell: "y" }]],
  ["a line break in a cell", 'ask\ttell\n"two\nlines"\tb\n', 2, [{ ask: "two\nlines", tell: "b" }]],
  ["a tab in a cell", 'ask\ttell\n"two\tcells"\tb\n', 2, [{ ask: "two\tcells", tell: "b" }]],
];
for (const [name, text, line, rows] of QUOTED) {
  Deno.test(`a .tsv that CSV's quoting shows in is refused, and read as its advice says: ${name}`, async () => {
    const words = await read({ "a.tsv": text }, "a.tsv");
    assert.match(words as string, new RegExp(`a\\.tsv:${line}: the cell .*quote`));
    const entries = proposed(words);
    assert.deepEqual(entries, [{ path: "a.tsv", quote: '"' }, { path: "a.tsv", quote: "none" }]);
    assert.deepEqual(await read({ "a.tsv": text }, [entries[0]]), rows);
    if (!/line break|tab/.test(name)) {
      assert.equal((await read({ "a.tsv": text }, entries[1])).length, rows.length);
    }
  });
}

Deno.test("a row of a .tsv with too many or too few cells is refused with its line, quoted or not", async () => {
  const words = await read({ "a.tsv": "a\tb\n1\t2\t3\n4\n5\t6\n" }, { path: "a.tsv", quote: "none" });
  assert.match(
    words as string,
    /2 problems\n {2}a\.tsv:2: the row has 3 cells, more .*\n {2}a\.tsv:3: the row has 1 cell,/,
  );
});

Deno.test("all problems of a .csv are told together, and no row is swallowed on the way", async () => {
  const text = 'a,b\n1,"x" y\n2,ok\n3,in"ner\n"open,4\n5,ok\n6,"also" this\n"7\n",7\n';
  const words = await read({ "a.csv": text }, "a.csv");
  const lines = (words as string).match(/a\.csv:\d+: [\w ]+/g);
  assert.deepEqual(lines, [
    "a.csv:2: there is text after a closing quote",
    "a.csv:4: there is a quote inside a cell",
    "a.csv:5: there is text after a closing quote in line 7",
    "a.csv:7: there is text after a closing quote",
  ]);
});

Deno.test("a quote that is never closed hides nothing behind it", async () => {
  const words = await read({ "a.csv": 'a,b\n1,"open\n2,ok\n3\n4,y\n5,6,7' }, "a.csv");
  assert.match(words as string, /a\.csv:2: a quote that opens in this row is never closed/);
  assert.match(words as string, /a\.csv:4: the row has 1 cell,/);
  assert.match(words as string, /a\.csv:6: the row has 3 cells/);
});

Deno.test("joined files are told by their second header and byte order mark", async () => {
  for (const [text, name] of [["a,b\n1,2\n", "x.csv"], ["a\tb\n1\t2\n", "x.tsv"]] as const) {
    assert.match(await read({ [name]: text + text }, name) as string, /:3: the row repeats the header/);
    const marked = `\uFEFF${text}`;
    assert.match(
      await read({ [name]: marked + marked }, name) as string,
      /:3: the row begins with a byte order mark/,
    );
  }
  const json = '\uFEFF{"a":1}\n';
  assert.deepEqual(await read({ "x.jsonl": json + json }, "x.jsonl"), [{ a: 1 }, { a: 1 }]);
});

Deno.test("a file is read with the delimiter, quote and encoding that its source names", async () => {
  const read1 = (name: string, bytes: string | Uint8Array, options: object) =>
    read({ [name]: bytes }, { path: name, ...options });
  const rows = [{ a: "é;", b: "2" }];
  assert.deepEqual(await read1("a.csv", "a|b\n'é;'|2\n", { delimiter: "|", quote: "'" }), rows);
  assert.deepEqual(await read1("a.csv", "a;b\n'é;';2\n", { delimiter: ";", quote: "'" }), rows);
  assert.deepEqual(await read1("a.csv", latin1("a,b\né;,2\n"), { encoding: "windows-1252" }), rows);
  assert.deepEqual(await read1("a.tsv", utf16("a\tb\né;\t2\n"), { encoding: "utf-16" }), rows);
  assert.deepEqual(await read1("a.csv", utf16("a,b\né;,2\n", false), { encoding: "utf-16" }), rows);
  assert.deepEqual(await read1("a.jsonl", utf16('{"a":"é;","b":"2"}\r\n'), { encoding: "utf-16le" }), rows);
  assert.deepEqual(await read1("a.json", latin1('[{"a":"é;","b":"2"}]'), { encoding: "latin1" }), rows);
});

const ADVISED: [name: string, bytes: string | Uint8Array, rows: unknown[]][] = [
  ["a.csv", "a;b\n1;2\n", [{ a: "1", b: "2" }]],
  ["a.csv", "a\tb\n1\t2\n", [{ a: "1", b: "2" }]],
  ["a.tsv", "a,b\n1,2\n", [{ a: "1", b: "2" }]],
  ["a.csv", latin1("a,b\né,2\n"), [{ a: "é", b: "2" }]],
  ["a.jsonl", latin1('{"a":"é"}\n'), [{ a: "é" }]],
  ["a.json", latin1('[{"a":"é"}]'), [{ a: "é" }]],
  ["a.csv", utf16("a,b\n1,2\n"), [{ a: "1", b: "2" }]],
  ["a.jsonl", utf16('{"a":1}\n', false), [{ a: 1 }]],
  ["a.jsonl", utf16('{"a":2}\n').slice(2), [{ a: 2 }]],
  ["a.csv", utf16("a,b\n3,4\n5,6\n", false).slice(2), [{ a: "3", b: "4" }, { a: "5", b: "6" }]],
];
for (const [name, bytes, rows] of ADVISED) {
  Deno.test(`the advice for ${name} with ${bytes.length} bytes, ${typeof bytes}, reads it`, async () => {
    const [entry] = proposed(await read({ [name]: bytes }, name));
    assert.deepEqual(await read({ [name]: bytes }, entry), rows);
  });
}

Deno.test("bytes that are not of the encoding named are refused with their line", async () => {
  const bytes = new Uint8Array([...utf16("a,b\n1,2\n3,"), 0x00, 0xd8, 0x0a, 0x00]);
  const words = await read({ "a.csv": bytes }, { path: "a.csv", encoding: "utf-16" });
  assert.match(words as string, /a\.csv:3: there are bytes that are not utf-16le/);
  const odd = new Uint8Array([...utf16("a,b\n1,2\n"), 0x33]);
  assert.match(
    await read({ "a.csv": odd }, { path: "a.csv", encoding: "utf-16" }) as string,
    /a\.csv:3: there are bytes that are not utf-16le/,
  );
  const marked = new TextEncoder().encode("\uFEFFa,b\n1,2\n");
  assert.match(
    await read({ "a.csv": marked }, { path: "a.csv", encoding: "latin1" }) as string,
    /the file is UTF-8, according to its byte order mark, not windows-1252/,
  );
});

Deno.test("a JSON fault is found in its line and column, also in a row of several lines", async () => {
  const words = async (name: string, text: string) => await read({ [name]: text }, name) as string;
  assert.match(
    await words("a.jsonl", '{"é😀": 1, "b": nan}\n'),
    /a\.jsonl:1: not valid JSON, nan .* \(column 16, near/,
  );
  assert.match(
    await words("a.json", '[\n {"é": 1,\n   "b": None},\n {"a": True}]'),
    /a\.json:3: .* \(column 9, near/,
  );
  assert.match(
    await words("a.json", '[{"a": 1}, {"é": 1, "b": True}]'),
    /a\.json:1: .* \(column 26, near "/,
  );
  assert.match(
    await words("a.jsonl", '{"a": 1}\n{"a": {"b": 1, "b": 1}}\n'),
    /a\.jsonl:2: the key "b" is given twice \(column 16/,
  );
  assert.match(
    await words("a.json", '[\n{"a": 1,\n "a": 2}]'),
    /a\.json:3: the key "a" is given twice \(column 2/,
  );
  assert.match(
    await words("a.jsonl", '{"a": -1e400}\n'),
    /a\.jsonl:1: the number -1e400 is too large/,
  );
  assert.match(await words("a.jsonl", '{"a": NaN}'), /JSON has null \(column 7, near "[^,]*"\)$/m);
});

Deno.test("a file that is listed twice is refused, with both places", async () => {
  await using bench = await Bench.open({ "x/a.jsonl": "{}\n", "x/b.jsonl": "{}\n", "c.jsonl": "{}\n" });
  await Deno.symlink(join(bench.dir, "x/a.jsonl"), join(bench.dir, "link.jsonl"));
  const words = async (source: unknown, evaluation?: unknown) => {
    const dataset = { source, ...evaluation !== undefined && { eval: evaluation } };
    const { code, message, hint } = await refusal(bench.extract(bench.pipeline(dataset)));
    assert.equal(code, "source-twice");
    assert.match(hint ?? "", /each file once/);
    return message.replaceAll(bench.dir, "");
  };
  assert.match(
    await words(["c.jsonl", "./c.jsonl"]),
    /source: "\/c\.jsonl" is listed as "c\.jsonl" and as "\.\/c\.jsonl"$/,
  );
  assert.match(
    await words(["x/b.jsonl", { path: "x/*.jsonl" }]),
    /"\/x\/b\.jsonl" is listed as "x\/b\.jsonl" and as "x\//,
  );
  assert.match(
    await words(["x/a.jsonl", "link.jsonl"]),
    /"\/link\.jsonl", a link to "\/x\/a\.jsonl", is listed as/,
  );
  assert.match(
    await words("**/*.jsonl"),
    /"\/x\/a\.jsonl", a link to "\/link\.jsonl", matches "\*\*\/\*\.jsonl" as well/,
  );
  assert.match(
    await words("c.jsonl", ["x/a.jsonl", "x/a.jsonl"]),
    /dataset\.eval: "\/x\/a\.jsonl" is listed twice/,
  );
});

Deno.test("extract.inputs() holds what a source says about reading, and nothing where it says nothing", async () => {
  await using bench = await Bench.open({ "a.csv": "a,b\n1,2\n" });
  const inputs = async (source: unknown) =>
    JSON.stringify(await extract.inputs(bench.pipeline({ source }), bench.env));
  const plain = await inputs("a.csv");
  assert.equal(
    plain,
    `{"sources":[{"set":"train","label":"a.csv","sha256":"${/[0-9a-f]{64}/.exec(plain)![0]}"}]}`,
  );
  assert.equal(await inputs([{ path: "a.csv" }]), plain);
  assert.equal(await inputs({ path: "a.csv", format: "alpaca", roles: { x: "user" } }), plain);
  const others = [{ delimiter: ";" }, { quote: "none" }, { encoding: "latin1" }];
  const found = await Promise.all(others.map((options) => inputs({ path: "a.csv", ...options })));
  assert.equal(new Set([plain, ...found]).size, 4);
});
