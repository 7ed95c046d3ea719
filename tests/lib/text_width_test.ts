import assert from "../deps/assert.ts";
import fc from "fast-check";
import { oneLine, pad, splitAt, textWidth, truncate, truncateMiddle } from "../../src/lib/text/text_width.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const width = fc.integer({ min: 2, max: 60 });

Deno.test("textWidth() counts columns, not code units", () => {
  const widths: [string, number][] = [
    ["", 0],
    ["plain", 5],
    ["é", 1],
    ["e\u0301", 1],
    ["日本", 4],
    ["한", 2],
    ["👍", 2],
    ["👩‍👩‍👧", 2],
    ["❤\ufe0f", 2],
    ["ａ", 2],
    ["✓ ━╸ ▁█ ⠋ …", 11],
    ["\x1b[31mred\x1b[39m", 3],
  ];
  for (const [string, columns] of widths) assert.equal(textWidth(string), columns, JSON.stringify(string));
});

Deno.test("textWidth() of a whole is the sum of its characters", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom("a", "日", "é", "✓", "👍")), (parts) => {
    const sum = parts.reduce((sum, part) => sum + textWidth(part), 0);
    assert.equal(textWidth(parts.join("")), sum);
  }));
});

Deno.test("truncate() and truncateMiddle() never exceed the width and keep what fits", () => {
  fc.assert(fc.property(text, width, (text, width) => {
    const safe = oneLine(text);
    for (const cut of [truncate(safe, width), truncateMiddle(safe, width)]) {
      assert.ok(textWidth(cut) <= width, JSON.stringify(cut));
      assert.equal(cut === safe, textWidth(safe) <= width);
    }
  }));
});

Deno.test("truncate() marks the cut at the end, truncateMiddle() keeps both ends", () => {
  assert.equal(truncate("extraordinary", 6), "extra…");
  assert.equal(truncate("日本語", 4), "日…");
  assert.equal(truncateMiddle("runs/a-long-id/model.gguf", 13), "runs/a…l.gguf");
  assert.equal(truncate("x", 0), "");
});

Deno.test("splitAt() loses nothing and always moves on", () => {
  fc.assert(fc.property(text.filter((text) => text !== ""), fc.nat(50), (text, width) => {
    const [head, rest] = splitAt(text, width);
    assert.equal(head + rest, text);
    assert.notEqual(head, "");
  }));
});

Deno.test("pad() fills up to the width on either side", () => {
  assert.equal(pad("日", 4), "日  ");
  assert.equal(pad("日", 4, "right"), "  日");
  assert.equal(pad("long", 2), "long");
});

Deno.test("oneLine() leaves no power over the terminal", () => {
  assert.equal(oneLine("a\nb\r\nc\td\x1b[2J\x07\x7f\u202e\u0085"), "a↵b↵c d␛[2J␇␡��");
  const unit = fc.nat(0x30ff).map((code) => String.fromCodePoint(code));
  fc.assert(fc.property(fc.string({ unit }), (text) => {
    assert.doesNotMatch(oneLine(text), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
  }));
});
