import assert from "../deps/assert.ts";
import fc from "fast-check";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { type Column, table } from "../../src/ui/table.ts";

const COLUMNS: readonly Column[] = [
  { title: "run", cut: "middle" },
  { title: "method", rank: 1 },
  { title: "took", align: "right", rank: 2 },
];
const ROWS = [
  ["home-lora-1", "lora", "9.1 s"],
  ["home-lora-22", "full", "12 min"],
].map((row) => row.map((text) => ({ text })));

Deno.test("table() aligns its columns", () => {
  assert.deepEqual(table(COLUMNS, ROWS, 0), [
    "run           method    took",
    "home-lora-1   lora     9.1 s",
    "home-lora-22  full    12 min",
  ]);
});

Deno.test("table() drops columns by rank and then cuts the widest", () => {
  assert.deepEqual(table(COLUMNS, ROWS, 20), [
    "run             took",
    "home-lora-1    9.1 s",
    "home-lora-22  12 min",
  ]);
  assert.deepEqual(table(COLUMNS, ROWS, 9), ["run", "home…ra-1", "home…a-22"]);
});

Deno.test("table() is never wider than asked, whatever stands in it", () => {
  const cell = fc.record({ text: fc.string({ unit: fc.constantFrom("a", "日", "é", " "), maxLength: 30 }) });
  const rows = fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 });
  fc.assert(fc.property(rows, fc.integer({ min: 4, max: 80 }), (rows, width) => {
    const lines = table(COLUMNS, rows, width);
    assert.equal(lines.length, rows.length + 1);
    for (const line of lines) assert.ok(textWidth(line) <= width, JSON.stringify(line));
  }));
});

Deno.test("table() paints without moving the columns", () => {
  const painted = ROWS.map((
    [run, ...rest],
  ) => [{ ...run!, paint: (s: string) => `\x1b[2m${s}\x1b[22m` }, ...rest]);
  // deno-lint-ignore no-control-regex
  const bare = table(COLUMNS, painted, 0).map((line) => line.replace(/\x1b\[\d+m/g, ""));
  assert.deepEqual(bare, table(COLUMNS, ROWS, 0));
});

Deno.test("table() gives what is never cut a line of its own where the width does not suffice", () => {
  const first: readonly Column[] = [{ ...COLUMNS[0]!, cut: "never" }, ...COLUMNS.slice(1)];
  assert.deepEqual(table(first, ROWS, 20), table(COLUMNS, ROWS, 20));
  assert.deepEqual(table(first, ROWS, 11), [
    "run",
    "    took",
    "home-lora-1",
    "   9.1 s",
    "home-lora-22",
    "  12 min",
  ]);
  const last: readonly Column[] = [{ title: "kind" }, { title: "", cut: "never" }];
  const rows = [["gguf", "runs/a/model.gguf"], ["copy", "a b"]].map((row) => row.map((text) => ({ text })));
  assert.deepEqual(table(last, rows, 10), ["kind", "gguf", "    runs/a/model.gguf", "copy  a b"]);
  assert.deepEqual(table(last, rows, 8).slice(3), ["copy", "    a b"]);
});
