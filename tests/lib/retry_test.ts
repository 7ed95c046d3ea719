import assert from "../deps/assert.ts";
import fc from "fast-check";
import { retryDelay } from "../../src/lib/retry.ts";

const failed = { transient: true, retryAfterMs: undefined, retries: 0, random: 1 };

Deno.test("retryDelay() never retries what is not transient", () => {
  fc.assert(fc.property(fc.nat(9), fc.option(fc.nat(), { nil: undefined }), (retries, retryAfterMs) => {
    assert.equal(retryDelay({ transient: false, retries, retryAfterMs, random: 0.5 }), undefined);
  }));
});

Deno.test("retryDelay() allows five tries in all, counted across resumes", () => {
  const delays = [0, 1, 2, 3, 4, 5].map((retries) => retryDelay({ ...failed, retries }));
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, undefined, undefined]);
});

Deno.test("retryDelay() is random between nothing and its bound", () => {
  fc.assert(fc.property(fc.nat(3), fc.double({ min: 0, max: 1, noNaN: true }), (retries, random) => {
    const delay = retryDelay({ ...failed, retries, random })!;
    assert(delay >= 0 && delay <= 1000 * 2 ** retries);
  }));
});

Deno.test("retryDelay() waits as long as the service says, at most a minute", () => {
  assert.equal(retryDelay({ ...failed, retryAfterMs: 12_345 }), 12_345);
  assert.equal(retryDelay({ ...failed, retryAfterMs: 3_600_000 }), 60_000);
});

Deno.test("retryDelay() takes 0 and times past as not said: tries that follow at once are no tries", () => {
  for (const retryAfterMs of [0, -1]) {
    const delays = [0, 1, 2, 3].map((retries) => retryDelay({ ...failed, retryAfterMs, retries }));
    assert.deepEqual(delays, [1000, 2000, 4000, 8000]);
  }
});

Deno.test("retryDelay() waits no less than leastMs, above a minute too", () => {
  assert.equal(retryDelay({ ...failed, leastMs: 300_000 }), 300_000);
  assert.equal(retryDelay({ ...failed, leastMs: 90_000, retryAfterMs: 3_600_000 }), 90_000);
  assert.equal(retryDelay({ ...failed, leastMs: 10 }), 1000);
});
