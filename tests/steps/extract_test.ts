import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs, sha256 } from "../../src/lib/files/fs.ts";
import { extract } from "../../src/steps/extract.ts";
import { Bench, jsonl, refusal } from "./drive.ts";

const MIXED = {
  "a.jsonl": '\uFEFF{"a":1}\r\n\n  \n{"b":"é"}',
  "b.json": '[\n {"a": 1.0,\n  "b":[1,2]},\n\n{"x":"],{\\"}\\n\u2028"}\n]',
  "c.csv": '\uFEFFa,b\r\n1,"x\r\ny"\r\n\r\n3,"q""q"\n5,6',
  "d.TSV": 'a\tb\n"1\t2"\n3\t"4" 5\n',
};

Deno.test("extract.run() brings all kinds of files into one form with the line each row starts at", async () => {
  await using bench = await Bench.open(MIXED);
  const summary = await bench.extract(bench.pipeline({ source: ["*.{jsonl,json}", "c.csv", "d.TSV"] }));
  assert.deepEqual(await bench.lines("extract", "rows.jsonl"), [
    { origin: "a.jsonl:1", row: { a: 1 } },
    { origin: "a.jsonl:4", row: { b: "é" } },
    { origin: "b.json:2", row: { a: 1, b: [1, 2] } },
    { origin: "b.json:5", row: { x: '],{"}\n\u2028' } },
    { origin: "c.csv:2", row: { a: "1", b: "x\r\ny" } },
    { origin: "c.csv:5", row: { a: "3", b: 'q"q' } },
    { origin: "c.csv:6", row: { a: "5", b: "6" } },
    { origin: "d.TSV:2", row: { a: '"1', b: '2"' } },
    { origin: "d.TSV:3", row: { a: "3", b: '"4" 5' } },
  ]);
  assert.deepEqual(summary["train"], 9);
});

Deno.test("extract.run() lists each source with its digest", async () => {
  await using bench = await Bench.open({ "x/a.jsonl": '{"a":1}\n', "y/a.jsonl": '{"a":2}\n{"a":3}\n' });
  await bench.extract(bench.pipeline({ source: ["x/a.jsonl", "y/*.jsonl"], eval: "y/a.jsonl" }));
  const text = await denoFs.readText(join(bench.dir, "out/extract/sources.json"));
  assert.deepEqual(JSON.parse(text), [
    { path: "x/a.jsonl", set: "train", bytes: 8, sha256: sha256('{"a":1}\n'), rows: 1 },
    { path: "y/a.jsonl", set: "train", bytes: 16, sha256: sha256('{"a":2}\n{"a":3}\n'), rows: 2 },
    { path: "y/a.jsonl", set: "eval", bytes: 16, sha256: sha256('{"a":2}\n{"a":3}\n'), rows: 2 },
  ]);
  const [first] = await bench.lines("extract", "eval.jsonl");
  assert.equal(first.origin, "y/a.jsonl:1");
});

Deno.test("extract.inputs() depends on names and content, not on folders or times", async () => {
  const inputs = async (files: Record<string, string>, source: string) => {
    await using bench = await Bench.open(files);
    return await extract.inputs(bench.pipeline({ source }), bench.env);
  };
  const one = await inputs({ "a.jsonl": "{}\n" }, "a.jsonl");
  assert.deepEqual(await inputs({ "deep/a.jsonl": "{}\n" }, "deep/*.jsonl"), one);
  assert.notDeepEqual(await inputs({ "a.jsonl": "{} \n" }, "a.jsonl"), one);
  assert.notDeepEqual(await inputs({ "b.jsonl": "{}\n" }, "b.jsonl"), one);
  assert.ok(!JSON.stringify(one).includes("/"));
});

Deno.test("extract.inputs() writes nothing", async () => {
  await using bench = await Bench.open({ "a.jsonl": "{}\n" });
  await extract.inputs(bench.pipeline({ source: "a.jsonl" }), bench.env);
  assert.deepEqual(await denoFs.list(bench.dir), ["a.jsonl"]);
});

const BAD: [name: string, content: string | Uint8Array, expected: RegExp][] = [
  [
    "a.jsonl",
    '{"a":1}\n{"text":"cut of',
    /a\.jsonl:2: not valid JSON, unterminated string.*column 16, near.*truncated/,
  ],
  ["a.jsonl", '{"a":1} x\n', /a\.jsonl:1: not valid JSON.*column 9, near/],
  [
    "a.jsonl",
    '[\n {"a": 1},\n {"a": 2}\n]\n',
    /dataset: a\.jsonl:1: .*one list over several lines; .* \.json$/,
  ],
  ["a.jsonl", '\n{\n "a": 1\n}\n', /dataset: a\.jsonl:2: an object spans several lines; \.jsonl .* jq -c/],
  ["a.jsonl", "[1]\n", /a\.jsonl:1: the row is a list, not an object; .* \.json$/],
  [
    "a.jsonl",
    "5\nnull\n",
    /2 problems\n {2}a\.jsonl:1: the row is a number.*\n {2}a\.jsonl:2: the row is null/,
  ],
  ["a.jsonl", "", /a\.jsonl:1: the file is empty/],
  ["a.jsonl", "\n \n", /dataset\.source: "a\.jsonl" has no rows/],
  ["a.jsonl", new Uint8Array([123, 125, 10, 255, 10]), /a\.jsonl:2: not UTF-8 at byte 3 of the file/],
  ["a.jsonl", new Uint8Array([255, 254, 123, 0]), /a\.jsonl:1: the file is UTF-16/],
  ["a.jsonl", new Uint8Array([31, 139, 0]), /a\.jsonl:1: the file is not text: byte 2 is zero/],
  ["a.json", '{"a":1}', /a\.json:1: the file is not one list of rows: .*"\{".* \.jsonl$/],
  ["a.json", '[{"a":1},]', /a\.json:1: there is an extra comma/],
  ["a.json", '[{"a":1},\n,{"a":2}]', /a\.json:2: there is an extra comma/],
  ["a.json", '[{"a":1},\n{"b', /a\.json:2: the file ends in the middle of this row/],
  ["a.json", '[{"a":1},\n', /a\.json:2: the file ends in the middle of the list/],
  [
    "a.json",
    '[{"a":1}\n{"a":2}]',
    /a\.json:2: not valid JSON, a comma or a colon is missing before it \(column 1/,
  ],
  ["a.json", '[{"a":1}]\nx', /a\.json:2: there is more after the end/],
  ["a.json", '[{"a":1}}', /a\.json:1: there is a "}" where the list should end/],
  ["a.json", "[]", /"a\.json" has no rows/],
  ["a.json", "[3]", /a\.json:1: the row is a number/],
  ["a.json", new Uint8Array([91, 10, 0xe2, 93]), /a\.json:2: not UTF-8 at byte 2 of the file/],
  [
    "a.csv",
    "a,b\n1,2,3\n\n4\n5,6\n",
    /:2: the row has 3 cells, more than the 2 columns.*\n.*:4: the row has 1 cell, fewer/,
  ],
  ["a.csv", "a,a, \n1,2,3\n", /two columns of the header are called "a"\n.*column 3 has no name/],
  ["a.csv", 'a,b\n1,"x" y\n', /a\.csv:2: there is text after a closing quote/],
  ["a.csv", 'a,b\n1,x"y\n', /a\.csv:2: there is a quote inside a cell/],
  ["a.csv", 'a,b\n1,2\n1,"xy\n2,3\n', /a\.csv:3: a quote that opens in this row is never closed/],
  ["a.csv", "a;b\n1;2\n", /a\.csv:1: the header is a single column/],
  ["a.csv", "a,b\n", /"a\.csv" has no rows/],
  ["a.csv", new Uint8Array([97, 10, 98, 10, 0xe2, 10]), /a\.csv:3: not UTF-8 at byte 4 of the file/],
  ["a.csv", new Uint8Array([97, 10, 98, 10, 0xe2]), /a\.csv:3: not UTF-8 at byte 4 of the file/],
  ["a.txt", "x", /a\.txt" has none of the endings \.jsonl, \.json, \.csv, \.tsv/],
];

for (const [name, content, expected] of BAD) {
  Deno.test(`extract.run() refuses ${name} for ${expected.source.slice(0, 60)}`, async () => {
    await using bench = await Bench.open({ [name]: content });
    const { message, exitCode } = await refusal(bench.extract(bench.pipeline({ source: name })));
    assert.match(message, expected);
    assert.equal(exitCode, 2);
  });
}

Deno.test("extract.run() refuses what is no file", async () => {
  await using bench = await Bench.open({ "dir/x.jsonl": "{}\n" });
  await Deno.symlink("loop.jsonl", join(bench.dir, "loop.jsonl"));
  const message = async (source: string) =>
    (await refusal(bench.extract(bench.pipeline({ source })))).message;
  assert.match(await message("dir"), /"dir" is a folder; name its files, such as "dir\/\*\.jsonl"/);
  assert.match(await message("no.jsonl"), /there is no file "no\.jsonl"/);
  assert.match(await message("no*.jsonl"), /no file matches "no\*\.jsonl"/);
  assert.match(await message("loop.jsonl"), /"loop\.jsonl" is a symbolic link that points back to itself/);
  assert.match(await message("/dev/null"), /is neither a file nor a folder/);
});

Deno.test("extract.run() shows 20 problems and counts the rest", async () => {
  await using bench = await Bench.open({ "a.jsonl": "x\n".repeat(33) + jsonl([{ a: 1 }]) });
  const { message } = await refusal(bench.extract(bench.pipeline({ source: "a.jsonl" })));
  assert.match(message, /: 33 problems\n/);
  assert.equal(message.match(/a\.jsonl:\d+/g)?.length, 20);
  assert.match(message, /\n {2}and 13 more$/);
});

Deno.test("extract.run() says that a row of more than 64 MiB is too long, and reads on", async () => {
  await using bench = await Bench.open();
  const file = await denoFs.create(join(bench.dir, "a.jsonl"));
  await file.write('{"a":"');
  for (let i = 0; i < 65; i++) await file.write("x".repeat(1024 * 1024));
  await file.write('"}\n7\n');
  await file.close();
  const { message } = await refusal(bench.extract(bench.pipeline({ source: "a.jsonl" })));
  assert.match(message, /a\.jsonl:1: the row is longer than 64 MiB\n {2}a\.jsonl:2: the row is a number/);
});

Deno.test("extract.run() stops when it is told to", async () => {
  await using bench = await Bench.open({ "a.jsonl": "{}\n" });
  const loaded = bench.pipeline({ source: "a.jsonl" });
  await assert.rejects(bench.extract(loaded, AbortSignal.abort(new Error("enough"))), /enough/);
});
