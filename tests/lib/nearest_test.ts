import assert from "../deps/assert.ts";
import fc from "fast-check";
import { didYouMean, nearest } from "../../src/lib/text/nearest.ts";

const NAMES = ["epochs", "learning_rate", "batch_size", "max_length", "max_steps", "seed"];

Deno.test("nearest() finds slips of the finger", () => {
  for (
    const [typed, meant] of [
      ["epoch", "epochs"],
      ["epohcs", "epochs"],
      ["sede", "seed"],
      ["Learning-Rate", "learning_rate"],
      ["learnig_rate", "learning_rate"],
      ["max_lenght", "max_length"],
      ["batch", "batch_size"],
      ["max", undefined],
      ["lr", undefined],
      ["", undefined],
      ["zzzzzz", undefined],
    ] as const
  ) assert.equal(nearest(typed, NAMES), meant, typed);
});

Deno.test("didYouMean() quotes the name, or says nothing", () => {
  assert.equal(didYouMean("epoch", NAMES), 'did you mean "epochs"');
  assert.equal(didYouMean("zzzzzz", NAMES), undefined);
});

Deno.test("nearest() finds each name itself and one edit away", () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.nat({ max: 12 }), fc.constantFrom("", "q"), (name, at, put) => {
      const edited = name.slice(0, at) + put + name.slice(at + 1);
      assert.equal(nearest(name, NAMES), name);
      assert.equal(nearest(edited, NAMES), name);
    }),
  );
});
