import assert from "../deps/assert.ts";
import fc from "fast-check";
import { ago, duration, left, wholeSeconds } from "../../server/static/time_text.js";
import * as format from "../../src/lib/text/format.ts";

const ms = fc.oneof(fc.integer({ min: -5000, max: 200_000 }), fc.integer({ min: 0, max: 1e10 }));

Deno.test("the page's script writes durations and ages as the server does", () => {
  fc.assert(fc.property(ms, (ms) => {
    assert.equal(duration(ms), format.duration(ms));
    const age = format.age(ms);
    assert.equal(ago(ms), age === "now" ? "just now" : `${age} ago`);
  }));
});

Deno.test("a time that ticks has whole seconds, and none is left when it is over", () => {
  assert.deepEqual([0, 400, 9_600, 59_400, 125_000].map(wholeSeconds), [
    "0 s",
    "0 s",
    "10 s",
    "59 s",
    "2 min 5 s",
  ]);
  assert.deepEqual([-1, 1_400, 125_000].map(left), ["almost done", "1 s left", "2 min 5 s left"]);
});
