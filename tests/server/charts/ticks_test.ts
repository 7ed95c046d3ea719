import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { labels, logTicks, placeLabels, placeTicks, ticks } from "../../../server/static/charts/ticks.js";

/** Two different numbers, the smaller first, anywhere from a learning rate to the bytes of a machine. */
const range = fc.tuple(
  fc.double({ noNaN: true, min: -1e3, max: 1e9 }),
  fc.double({ noNaN: true, min: 1e-6, max: 1e12 }),
).filter(([low, width]) => width > Math.abs(low) * 1e-6).map(([low, width]) => [low, low + width] as const);
const units = fc.constantFrom(undefined, "bytes", "percent", "celsius");

Deno.test("ticks() lie in the range, few of them and at least two in a range of any size", () => {
  fc.assert(fc.property(range, fc.integer({ min: 4, max: 12 }), ([low, high], most) => {
    const found = ticks(low, high, most);
    const slack = (high - low) * 1e-6;
    assert.ok(found.length >= 2 && found.length <= most, `${found.length} of ${most}: ${found}`);
    for (const value of found) assert.ok(value >= low - slack && value <= high + slack, `${value}`);
  }));
});

Deno.test("no two labels of an axis say the same, and each says its value", () => {
  fc.assert(fc.property(range, units, ([low, high], unit) => {
    const found = labels(ticks(low, high, 6), unit);
    assert.equal(new Set(found).size, found.length, found.join(" | "));
  }));
  assert.deepEqual(labels([1.0005, 1.001, 1.0015]), ["1.0005", "1.0010", "1.0015"]);
  assert.deepEqual(labels([0, 5e-5, 1e-4, 1.5e-4]), ["0", "5e-5", "1e-4", "1.5e-4"]);
  assert.deepEqual(labels([1.2e9, 1.25e9], "bytes"), ["1.20 GB", "1.25 GB"]);
  assert.deepEqual(labels([500_000, 1_000_000]), ["0.5M", "1.0M"]);
  assert.deepEqual(labels([0.001, 1, 1e6], undefined, true), ["0.001", "1", "1M"]);
});

Deno.test("steps and tokens have whole numbers on their axis, also where few fit", () => {
  assert.deepEqual(placeTicks("step", 1, 3, 6), [1, 2, 3]);
  assert.deepEqual(placeTicks("step", 7, 7, 6), [7]);
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }), (low, width) => {
    const found = placeTicks("step", low, low + width, 6);
    assert.ok(found.every(Number.isInteger), found.join());
    const said = placeLabels("step", found);
    assert.equal(new Set(said).size, said.length, said.join());
  }));
});

Deno.test("times are marked in one round unit", () => {
  assert.deepEqual(placeLabels("time", placeTicks("time", 0, 45, 5)), [
    "0 s",
    "10 s",
    "20 s",
    "30 s",
    "40 s",
  ]);
  assert.deepEqual(placeLabels("time", placeTicks("time", 0, 1900, 5)), [
    "0 min",
    "10 min",
    "20 min",
    "30 min",
  ]);
  assert.deepEqual(placeLabels("time", placeTicks("time", 0, 9000, 6)), [
    "0.0 h",
    "0.5 h",
    "1.0 h",
    "1.5 h",
    "2.0 h",
    "2.5 h",
  ]);
});

Deno.test("logTicks() have marks within one power of ten and thin out over many", () => {
  assert.deepEqual(logTicks(0.3, 0.7, 6), [0.3, 0.4, 0.5, 0.6, 0.7]);
  assert.deepEqual(logTicks(0.9, 60, 6), [1, 2, 5, 10, 20, 50]);
  assert.deepEqual(logTicks(1e-6, 1e6, 5), [1e-6, 1e-3, 1, 1e3, 1e6]);
  assert.deepEqual(logTicks(0, 1, 5), [], "zero has no place there");
  fc.assert(fc.property(range.filter(([low]) => low > 0), ([low, high]) => {
    const found = logTicks(low, high, 6);
    assert.ok(found.length <= 20 && found.every((value) => value >= low && value <= high), found.join());
  }));
});
