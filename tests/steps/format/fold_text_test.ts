import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { foldText } from "../../../src/steps/format/checks/fold_text.ts";

// No bare accents: behind an iota below (U+0345), toUpperCase() itself makes another text of them.
const sign = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }) },
  fc.constantFrom(
    "\u200b",
    "\u00ad",
    "\u3164",
    "\uffa0",
    "\u115f",
    "\u1100",
    "\u1161",
    "\u200d",
  ),
);
const text = fc.array(sign).map((signs) => signs.join(""));

Deno.test("foldText() makes no difference of compatibility forms, case and white space", () => {
  for (
    const [a, b] of [["ﬁ", "FI"], ["Ｏｎ", "on"], ["straße", "STRASSE"], ["STRAẞE", "strasse"], [
      "ὈΔΥΣΣΕΎΣ",
      "ὀδυσσεύς",
    ], [
      "a\u00a0 b\n",
      " A B",
    ], ["①", "1"]]
  ) {
    assert.equal(foldText(a as string), foldText(b as string));
  }
  for (
    const sign of [
      "\u200b",
      "\u2060",
      "\ufeff",
      "\u00ad",
      "\u3164",
      "\u200d",
      "\u202e",
      "\u2800",
      "\u{e0041}",
    ]
  ) {
    assert.equal(foldText(`wi${sign}nd e\u0301${sign}?`), foldText("wind é?"));
    assert.equal(foldText(`e${sign}\u0301`), foldText("é"));
  }
  assert.notEqual(foldText("on"), foldText("no"));
  assert.notEqual(foldText("ab"), foldText("a b"));
});

Deno.test("foldText() is the same for all spellings of a text, and a fixed point", () => {
  fc.assert(
    fc.property(text, (text) => {
      const folded = foldText(text);
      assert.equal(foldText(folded), folded);
      assert.equal(foldText(`\t${text} `), folded);
      for (const form of ["NFC", "NFD", "NFKC", "NFKD"]) assert.equal(foldText(text.normalize(form)), folded);
      assert.equal(foldText(text.toUpperCase()), folded);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("foldText() takes its short way for ASCII only where the long way agrees", () => {
  const ascii = fc.string({ unit: "grapheme-ascii" });
  fc.assert(fc.property(ascii, (text) => {
    // The letter beyond ASCII forces the long way.
    assert.equal(foldText(text), foldText(`${text}é`).replace(/ ?é$/, ""));
  }));
});
