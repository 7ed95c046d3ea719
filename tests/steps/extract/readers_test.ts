import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { csvReader } from "../../../src/steps/extract/csv.ts";
import { readJsonArray } from "../../../src/steps/extract/json_array.ts";
import { readJsonl } from "../../../src/steps/extract/jsonl.ts";
import type { RowReader } from "../../../src/steps/extract/row.ts";

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size);
    buffer.set(chunk);
    yield await Promise.resolve(buffer.subarray(0, chunk.length));
  }
}

async function read(reader: RowReader, text: string, size: number) {
  const rows: { line: number; row: unknown }[] = [];
  const problems: string[] = [];
  const chunks = cut(new TextEncoder().encode(text), size);
  for await (
    const batch of reader({ chunks, start: 0 }, (line, problem) => problems.push(`${line}: ${problem}`))
  ) {
    for (const { line, json } of batch) {
      assert.ok(!/[\r\n]/.test(json), "a row is one line");
      rows.push({ line, row: JSON.parse(json) });
    }
  }
  assert.deepEqual(problems, []);
  return rows;
}

const size = fc.integer({ min: 1, max: 40 });
const text = fc.string({
  unit: fc.constantFrom("a", "é", "😀", '"', ",", "\t", "\n", "\r\n", " ", "[", "}", "\\"),
  maxLength: 8,
});
// Without backslashes: V8 misreads an escaped key once it has read one that is a backslash (nodejs/node#63785).
const key = text.map((text) => text.replaceAll("\\", "/"));
const rows = fc.array(
  fc.dictionary(key, fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text, { maxLength: 2 }))),
  { minLength: 1, maxLength: 8 },
);

Deno.test("readJsonl() gives back what was written, with its lines", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      size,
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      async (rows, size, end, blank) => {
        const file = rows.map((row) => JSON.stringify(row)).join(blank ? end + end : end) + end;
        const expected = rows.map((row, i) => ({ line: 1 + i * (blank ? 2 : 1), row }));
        assert.deepEqual(JSON.stringify(await read(readJsonl, file, size)), JSON.stringify(expected));
      },
    ),
  );
});

Deno.test("readJsonArray() gives back what was written, however it is indented", async () => {
  await fc.assert(fc.asyncProperty(rows, size, fc.constantFrom(0, 1, "\t"), async (rows, size, indent) => {
    const file = JSON.stringify(rows, null, indent);
    const found = await read(readJsonArray, file, size);
    assert.equal(JSON.stringify(found.map(({ row }) => row)), JSON.stringify(rows));
    const lines = file.split("\n");
    for (const { line } of found) assert.match(lines[line - 1] as string, /\{/);
  }));
});

const named = { delimiter: true, quote: true };

for (const [delimiter, quote] of [[",", '"'], ["\t", '"'], [";", "'"]] as const) {
  Deno.test(`csvReader(${JSON.stringify(delimiter + quote)}) gives back what RFC 4180 writes, with its lines`, async () => {
    const quoted = (cell: string) => quote + cell.replaceAll(quote, quote + quote) + quote;
    const table = fc.array(fc.tuple(text, text), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(table, size, fc.constantFrom("\n", "\r\n", "\r"), async (table, size, end) => {
        let line = 2;
        const expected = table.map(([a, b]) => {
          const row = { line, row: { a, b } };
          line += 1 + (a + "|" + b).split(/\r\n|\n|\r/).length - 1;
          return row;
        });
        const records = [["a", "b"], ...table].map((cells) => cells.map(quoted).join(delimiter));
        const reader = csvReader({ delimiter, quote, named });
        assert.deepEqual(await read(reader, records.join(end) + end, size), expected);
      }),
    );
  });
}

Deno.test("csvReader() takes line ends of all kinds in one file and skips blank lines", async () => {
  const reader = csvReader({ delimiter: ",", quote: '"', named });
  const found = await read(reader, "a,b\r\n\r\n\r\n1,2\n\n\n3,4\r5,6", 3);
  assert.deepEqual(found.map(({ line }) => line), [4, 7, 8]);
});

Deno.test("csvReader() without quotes gives back every cell as it stands", async () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "é", "😀", '"', '""', ",", "'", " "), maxLength: 8 });
  const table = fc.array(fc.tuple(cell, cell), { maxLength: 6 });
  const reader = csvReader({ delimiter: "\t", quote: undefined, named });
  await fc.assert(
    fc.asyncProperty(table, size, fc.constantFrom("\n", "\r\n", "\r"), async (table, size, end) => {
      const file = [["a", "b"], ...table].map((cells) => cells.join("\t") + end).join("");
      const expected = table.map(([a, b], i) => ({ line: i + 2, row: { a, b } }));
      assert.deepEqual(await read(reader, file, size), expected);
    }),
  );
});

Deno.test("csvReader() swallows no line: each is part of a row or is told to be wrong", async () => {
  const sign = fc.constantFrom("a", "b", '"', '"', ",", "\n", "\n", '","', '"\n', "\r\n");
  const body = fc.array(sign, { maxLength: 30 }).map((signs) => signs.join(""));
  const reader = csvReader({ delimiter: ",", quote: '"', named });
  let wrong = 0;
  await fc.assert(
    fc.asyncProperty(body, size, async (body, size) => {
      const file = `x,y\n${body}`;
      const covered = new Set<number>();
      const chunks = cut(new TextEncoder().encode(file), size);
      const note = (line: number, problem: string) => {
        wrong++;
        const last = Number(/ to line (\d+)$/.exec(problem)?.[1] ?? line);
        for (let at = line; at <= last; at++) covered.add(at);
      };
      for await (const batch of reader({ chunks, start: 0 }, note)) {
        for (const { line, json } of batch) {
          const breaks = Object.values(JSON.parse(json) as object).join("").split("\n").length - 1;
          for (let i = 0; i <= breaks; i++) covered.add(line + i);
        }
      }
      for (const [i, line] of file.split("\n").entries()) {
        if (i > 0 && line.replace("\r", "") !== "") assert.ok(covered.has(i + 1), `line ${i + 1} of ${file}`);
      }
    }),
    { numRuns: 3000, seed: 8 },
  );
  assert.ok(wrong > 1000, `${wrong} problems`);
});
