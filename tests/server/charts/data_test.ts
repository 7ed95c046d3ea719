import assert from "../../deps/assert.ts";
import fc from "fast-check";
import {
  add,
  aligned,
  type ChartData,
  placesOf,
  smooth,
  startOf,
} from "../../../server/static/charts/data.js";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });

/** The mean of all values so far, each weighted `weight` times as much as the next, written out. */
function weightedMean(values: readonly number[], weight: number): number {
  const weights = values.map((_, i) => weight ** (values.length - 1 - i));
  const sum = values.reduce((sum, value, i) => sum + value * weights[i]!, 0);
  return sum / weights.reduce((a, b) => a + b, 0);
}

Deno.test("smooth() is the weighted mean of all values so far, with no bias towards the first or towards zero", () => {
  const weights = fc.integer({ min: 0, max: 99 }).map((n) => n / 100);
  fc.assert(fc.property(fc.array(finite, { maxLength: 60 }), weights, (values, weight) => {
    smooth(values, weight).forEach((mean, i) => {
      const expected = weightedMean(values.slice(0, i + 1), weight);
      assert.ok(
        Math.abs(mean! - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
        `${mean} for ${expected}`,
      );
    });
  }));
  assert.deepEqual(smooth([7, 7, 7], 0.99).map((mean) => mean?.toFixed(9)), Array(3).fill("7.000000000"));
  assert.deepEqual(smooth([1, 2, 3], 0), [1, 2, 3]);
});

Deno.test("smooth() leaves gaps where they are and does not count them", () => {
  const [first, gap, second] = smooth([4, null, 1], 0.9);
  assert.equal(gap, null);
  assert.deepEqual([first, second], smooth([4, 1], 0.9));
});

Deno.test("placesOf() counts time from the first step, and never goes back where a clock did", () => {
  const data: ChartData = {
    steps: [0, 1, 2, 3],
    x: { time: [100, 100, 98, 160], tokens: [null, 512, null, 1536] },
    series: {},
  };
  assert.deepEqual(placesOf(data, "time", startOf({ loss: data })), [0, 0, 0, 60]);
  const later: ChartData = { steps: [2], x: { time: [130] }, series: {} };
  assert.deepEqual(
    placesOf(later, "time", startOf({ use: later, loss: data })),
    [30],
    "one start for all charts",
  );
  assert.deepEqual(placesOf(data, "tokens", 100), [0, 512, 512, 1536]);
  assert.deepEqual(placesOf(data, "epoch", 100), [0, 1, 2, 3], "an unknown axis is that of the steps");
});

Deno.test("add() drops what lies behind a step that comes again, and joins what is said about one step", () => {
  const data: ChartData = { steps: [1, 2, 3], x: { tokens: [10, 20, 30] }, series: { loss: [5, 4, 3] } };
  const names = ["loss", "eval_loss"];
  add(data, names, { step: 2, tokens: 21, loss: 4.1 });
  add(data, names, { step: 2, tokens: 21, "eval_loss": 9 });
  add(data, names, { step: 3, tokens: 31, time: 7, cpu: 50 });
  add(data, names, { step: 4, tokens: 41, time: 8, loss: 2 });
  assert.deepEqual(data, {
    steps: [1, 2, 4],
    x: { tokens: [10, 21, 41], time: [null, null, 8] },
    series: { loss: [5, 4.1, 2], "eval_loss": [null, 9, null] },
  });
});

Deno.test("aligned() puts curves with places of their own over all places", () => {
  const curves = [{ places: [1, 3], values: [10, 30] }, { places: [2, 3], values: [200, 300] }];
  assert.deepEqual(aligned(curves), { places: [1, 2, 3], columns: [[10, null, 30], [null, 200, 300]] });
  // As where two points have the same number of tokens.
  const shared = [{ places: [1, 2, 2, 2], values: [10, 20, 21, null] }];
  assert.deepEqual(aligned(shared), { places: [1, 2], columns: [[10, 21]] });
});
