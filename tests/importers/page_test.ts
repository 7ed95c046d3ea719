import assert from "node:assert/strict";
import { PAGE, withTables } from "../../tools/import_table.ts";
import { IMPORTERS } from "../../src/importers/registry.ts";

const page = await Deno.readTextFile(PAGE);

Deno.test("docs/import.md says what becomes of each field as the code has it", () => {
  assert.equal(page, withTables(page), "renew it: deno run -A tools/import_table.ts --write");
});

Deno.test("no field is a mark of two tools", () => {
  const marks = IMPORTERS.flatMap(({ marks }) => marks);
  assert.deepEqual(marks.filter((mark, i) => marks.indexOf(mark) !== i), []);
});

Deno.test("no rule of a tool is hidden by an earlier one for the same field", () => {
  for (const { name, rules, lowRank } of IMPORTERS) {
    const decided = [...rules, ...lowRank].filter(({ kind }) => kind !== "own").flatMap(({ from }) => from);
    assert.deepEqual(decided.filter((field, i) => decided.indexOf(field) !== i), [], name);
  }
});
