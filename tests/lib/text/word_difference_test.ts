import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { type DifferencePart, wordDifference } from "../../../src/lib/text/word_difference.ts";

/** As one would write it: [-missing-]{+added+}. */
function written(parts: readonly DifferencePart[]): string {
  const marks = { same: ["", ""], missing: ["[-", "-]"], added: ["{+", "+}"] } as const;
  return parts.map(({ kind, text }) => `${marks[kind][0]}${text}${marks[kind][1]}`).join("");
}

function joined(parts: readonly DifferencePart[], without: DifferencePart["kind"]): string {
  return parts.filter(({ kind }) => kind !== without).map(({ text }) => text).join("");
}

const word = fc.oneof(
  fc.constantFrom(
    "light",
    "the",
    "on",
    " ",
    "  ",
    "\n",
    ".",
    ",",
    "{",
    '"',
    "שלום",
    "灯",
    "🧪",
    "e\u0301",
    "\ud800",
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(""));

Deno.test("wordDifference() loses nothing of either text and names no part twice in a row", () => {
  fc.assert(fc.property(text, text, (expected, actual) => {
    const parts = wordDifference(expected, actual);
    assert.equal(joined(parts, "added"), expected);
    assert.equal(joined(parts, "missing"), actual);
    for (const [i, { kind, text }] of parts.entries()) {
      assert.notEqual(text, "");
      assert.notEqual(kind, parts[i + 1]?.kind);
    }
  }));
});

Deno.test("wordDifference() loses nothing of texts that differ in more words than it reads", () => {
  const long = (mark: string) => Array.from({ length: 2_000 }, (_, i) => `${mark}${i}`).join(" ");
  const expected = `on a ${long("x")} end.`;
  const actual = `on a ${long("y")} end.`;
  const parts = wordDifference(expected, actual);
  assert.deepEqual(parts.map(({ kind }) => kind), ["same", "missing", "added", "same"]);
  assert.equal(parts[0]!.text, "on a ");
  assert.equal(joined(parts, "added"), expected);
  assert.equal(joined(parts, "missing"), actual);
});

Deno.test("wordDifference() shares no word of long texts between their beginnings and their ends", () => {
  const [expected, actual] = ["x ".repeat(400), "x ".repeat(900)];
  const parts = wordDifference(expected, actual);
  assert.equal(joined(parts, "added"), expected);
  assert.equal(joined(parts, "missing"), actual);
});

Deno.test("wordDifference() reads as a person would mark it", () => {
  for (
    const [expected, actual, marked] of [
      ["", "", ""],
      ["same", "same", "same"],
      ["", "new", "{+new+}"],
      ["gone", "", "[-gone-]"],
      ["light.on(hall)", "light.off(hall)", "light.[-on-]{+off+}(hall)"],
      ["turn on the hall light", "turn on the light", "turn on the [-hall -]light"],
      ["switch the lamp off", "turn a light off", "[-switch the lamp-]{+turn a light+} off"],
      ["打开灯", "关闭灯", "[-打开-]{+关闭+}灯"],
    ] as const
  ) {
    assert.equal(written(wordDifference(expected, actual)), marked);
  }
});
