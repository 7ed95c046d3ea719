import assert from "../deps/assert.ts";
import fc from "fast-check";
import { canonicalJson, type Json } from "../../src/lib/json/json.ts";
import { changedParts, keyOf } from "../../src/plan/key.ts";
import { expand } from "../../src/plan/plan.ts";

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
const parts = fc.dictionary(fc.string(), json, { maxKeys: 6, noNullPrototype: true });

Deno.test("canonicalJson() does not depend on the order of members", () => {
  fc.assert(fc.property(parts, (value) => {
    const reversed = Object.fromEntries(Object.entries(value).reverse());
    assert.equal(canonicalJson(reversed), canonicalJson(value));
  }));
});

Deno.test("canonicalJson() reads back as the same value", () => {
  fc.assert(fc.property(json, (value) => {
    assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
  }));
});

Deno.test("canonicalJson() throws on what JSON cannot carry", () => {
  for (const value of [NaN, Infinity, () => 1, 10n, Symbol("x")]) {
    assert.throws(() => canonicalJson({ value }), TypeError);
  }
});

Deno.test("changedParts() is empty exactly when the keys are equal", () => {
  fc.assert(fc.property(parts, parts, (a, b) => {
    assert.equal(changedParts(a, b).length === 0, keyOf(a) === keyOf(b));
    assert.deepEqual(changedParts(a, a), []);
  }));
});

Deno.test("changedParts() names the member with both values", () => {
  const before = { train: { epochs: 1, seed: 1 }, sources: ["a"] };
  const after = { train: { epochs: 2, seed: 1, max_steps: 5 }, sources: ["b"] };
  assert.deepEqual(changedParts(before, after), [
    { path: "sources", before: ["a"], after: ["b"] },
    { path: "train.epochs", before: 1, after: 2 },
    { path: "train.max_steps", before: undefined, after: 5 },
  ]);
});

Deno.test("expand() changes the keys of a step and of everything after it, and no other", () => {
  const kinds = ["extract", "format", "configure", "submit", "monitor"] as const;
  fc.assert(fc.property(fc.nat(4), parts, parts, (index, a, b) => {
    fc.pre(keyOf(a) !== keyOf(b));
    const plan = (inputs: typeof a) =>
      expand(kinds.map((kind, i) => ({ kind, version: 1, cached: true, inputs: i === index ? inputs : {} })));
    const changed = plan(a).steps.map((step, i) => step.key !== plan(b).steps[i]!.key);
    assert.deepEqual(changed, kinds.map((_, i) => i >= index));
  }));
});
