import assert from "../deps/assert.ts";
import fc from "fast-check";
import { progressBar, sparkline, valueBar } from "../../src/ui/bar.ts";

Deno.test("progressBar() always has its width and fills with the fraction", () => {
  assert.deepEqual(progressBar(0.5, 4), { done: "━━", rest: "──" });
  assert.deepEqual(progressBar(0.4, 4), { done: "━╸", rest: "──" });
  const fraction = fc.double({ noDefaultInfinity: false });
  fc.assert(fc.property(fraction, fc.nat(80), (fraction, width) => {
    const { done, rest } = progressBar(fraction, width);
    assert.equal(done.length + rest.length, width);
  }));
  assert.deepEqual(progressBar(1, 3), { done: "━━━", rest: "" });
  assert.deepEqual(progressBar(NaN, 3), { done: "", rest: "───" });
});

Deno.test("valueBar() is empty at 0 and full at 1", () => {
  assert.equal(valueBar(0, 4), "");
  assert.equal(valueBar(1, 4), "████");
  assert.equal(valueBar(0.5, 4), "██");
  assert.equal(valueBar(0.1, 4), "▍");
});

Deno.test("sparkline() goes from its highest to its lowest value, in at most the width", () => {
  assert.equal(sparkline([4, 3, 2, 1], 10), "█▆▃▁");
  assert.equal(sparkline([1, 1, 1], 10), "▁▁▁");
  assert.equal(sparkline([], 10), "");
  assert.equal(sparkline([NaN, 2, 1], 10), "█▁");
  assert.equal(sparkline(Array.from({ length: 1000 }, (_, i) => i), 8), "▁▂▃▄▅▆▇█");
});
