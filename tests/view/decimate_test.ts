import assert from "../deps/assert.ts";
import fc from "fast-check";
import { Decimator } from "../../src/view/decimate.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

Deno.test("Decimator keeps both ends and every series' least and greatest value, in few rows", () => {
  const values = fc.array(fc.tuple(fc.option(finite), finite), { minLength: 1, maxLength: 400 });
  fc.assert(fc.property(values, fc.integer({ min: 10, max: 60 }), (values, most) => {
    const decimator = new Decimator(2, most);
    values.forEach((values, x) => decimator.push({ x, values }));
    const rows = decimator.rows();
    assert.ok(rows.length <= most, `${rows.length} rows of at most ${most}`);
    assert.deepEqual(rows.map(({ x }) => x), [...new Set(rows.map(({ x }) => x))].sort((a, b) => a - b));
    assert.equal(rows[0]!.x, 0);
    assert.equal(rows.at(-1)!.x, values.length - 1);
    for (const series of [0, 1]) {
      const all = values.map((v) => v[series]).filter((v) => v !== null && v !== undefined);
      const kept = rows.map((row) => row.values[series]).filter((v) => v !== null && v !== undefined);
      assert.equal(Math.min(...kept), Math.min(...all));
      assert.equal(Math.max(...kept), Math.max(...all));
    }
    for (const { x, values: kept } of rows) assert.deepEqual(kept, values[x], "rows are what was pushed");
  }));
});

Deno.test("Decimator finds a lone peak in a million points", () => {
  const decimator = new Decimator(1, 2000);
  for (let x = 0; x < 1_000_000; x++) decimator.push({ x, values: [x === 654_321 ? 99 : Math.sin(x)] });
  const rows = decimator.rows();
  assert.ok(rows.length <= 2000 && rows.length > 900, `${rows.length}`);
  assert.ok(rows.some(({ x, values: [value] }) => x === 654_321 && value === 99));
});

Deno.test("Decimator forgets what lies behind a point that comes again", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 90 }), (back) => {
    const [resumed, undisturbed] = [new Decimator(1, 300), new Decimator(1, 300)];
    for (let x = 0; x < 100; x++) resumed.push({ x, values: [x >= back ? 1000 : x] });
    for (let x = back; x < 120; x++) resumed.push({ x, values: [x] });
    for (let x = 0; x < 120; x++) undisturbed.push({ x, values: [x] });
    assert.deepEqual(resumed.rows(), undisturbed.rows());
  }));
});

Deno.test("Decimator puts two words about one place together", () => {
  const decimator = new Decimator(2, 100);
  decimator.push({ x: 1, values: [5, null] });
  decimator.push({ x: 1, values: [null, 7] });
  assert.deepEqual(decimator.rows(), [{ x: 1, values: [5, 7] }]);
});
