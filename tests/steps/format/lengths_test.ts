import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { Lengths } from "../../../src/steps/format/checks/lengths.ts";

Deno.test("Lengths.summary() agrees with a sorted list", () => {
  const length = fc.oneof(fc.nat(50), fc.nat(5000), fc.nat(10_000_000));
  fc.assert(fc.property(fc.array(length, { minLength: 1, maxLength: 200 }), (list) => {
    const lengths = new Lengths();
    for (const length of list) lengths.add(length);
    const sorted = list.toSorted((a, b) => a - b);
    const { shortest, median, p99, longest, histogram } = lengths.summary();
    assert.equal(shortest, sorted[0]);
    assert.equal(longest, sorted.at(-1));
    assert.equal(lengths.sum, list.reduce((a, b) => a + b, 0));
    for (const [found, share] of [[median, 0.5], [p99, 0.99]] as const) {
      const exact = sorted[Math.ceil(share * list.length) - 1] as number;
      assert.ok(Math.abs(found - exact) <= (exact < 4096 ? 0 : 0.011 * exact), `${found} for ${exact}`);
    }
    assert.equal(histogram.reduce((sum, { count }) => sum + count, 0), list.length);
    assert.ok(histogram.length <= 27);
    assert.ok(histogram.every(({ upTo }, i) => i === 0 || upTo > (histogram[i - 1]?.upTo ?? 0)));
    assert.ok((histogram.at(-1)?.upTo ?? 0) >= longest);
  }));
});
