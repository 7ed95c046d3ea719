import assert from "../deps/assert.ts";
import fc from "fast-check";
import { textWidth } from "../../src/lib/text/text_width.ts";
import { wrap } from "../../src/lib/text/wrap.ts";

Deno.test("wrap() breaks at spaces, and inside a word that is too long", () => {
  assert.deepEqual(wrap("the loss is not a number", 10), ["the loss", "is not a", "number"]);
  assert.deepEqual(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
  assert.deepEqual(wrap("日本語 text", 4), ["日本", "語", "text"]);
  assert.deepEqual(wrap("  kept  in", 20), ["  kept  in"]);
  assert.deepEqual(wrap("", 5), [""]);
  assert.deepEqual(wrap("not bounded at all", Infinity), ["not bounded at all"]);
});

Deno.test("wrap() keeps every character but spaces, within the width", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "é", "日", "👍"), minLength: 1, maxLength: 12 });
  fc.assert(fc.property(fc.array(word), fc.integer({ min: 2, max: 30 }), (words, width) => {
    const lines = wrap(words.join(" "), width);
    assert.equal(lines.join("").replaceAll(" ", ""), words.join(""));
    for (const line of lines) assert.ok(textWidth(line) <= width, JSON.stringify(line));
  }));
});
