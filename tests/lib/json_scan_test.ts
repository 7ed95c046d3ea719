import assert from "../deps/assert.ts";
import fc from "fast-check";
import { scanJson } from "../../src/lib/json/json_scan.ts";

const signs = [
  ...'{}[]:,"\\/ \t\n\r-+.0123456789eEaunrtflsx',
  "é",
  "\u0001",
  "true",
  "null",
  "\\u00e9",
  "\ud800",
];
/** JSON texts with a few signs taken out, put in or exchanged; most are JSON no longer. */
const text = fc.tuple(
  fc.json({ maxDepth: 3 }),
  fc.array(fc.tuple(fc.nat(), fc.constantFrom("", ...signs), fc.nat(2)), { maxLength: 2 }),
).map(([text, edits]) =>
  edits.reduce((text, [at, sign, cut]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + sign + text.slice(place + cut);
  }, text)
);

Deno.test("scanJson() takes what JSON.parse takes, and nothing else", () => {
  let taken = 0;
  fc.assert(
    fc.property(text, (text) => {
      let good = true;
      try {
        JSON.parse(text);
      } catch {
        good = false;
      }
      if (good) taken++;
      assert.equal(scanJson(text) === -1, good, text);
    }),
    { numRuns: 20_000, seed: 3 },
  );
  assert.ok(taken > 3000 && taken < 17_000, `${taken} of 20000 were JSON`);
});

Deno.test("scanJson() stops where V8 says that it does, where V8 says it", () => {
  let compared = 0;
  fc.assert(
    fc.property(text, (text) => {
      try {
        JSON.parse(text);
      } catch (error) {
        const position = /at position (\d+)/.exec((error as Error).message)?.[1];
        // V8 reads words, numbers and escapes on to their end.
        if (position === undefined || /number|escape|Exponent/i.test((error as Error).message)) return;
        const found = scanJson(text);
        if (/[tfn]/.test(text[found] ?? "")) return;
        compared++;
        assert.equal(found, Number(position), text);
      }
    }),
    { numRuns: 20_000, seed: 4 },
  );
  assert.ok(compared > 3000, `${compared} places were compared`);
});

Deno.test("scanJson() tells keys and numbers as they are written, at any depth", () => {
  const told: unknown[] = [];
  const text = '{"a\\u0062": [1.50, {"c": -2e3}], "": {}}';
  const end = scanJson(text, {
    onObject: () => told.push("{"),
    onObjectEnd: () => told.push("}"),
    onKey: (key, offset) => told.push([key, offset]),
    onNumber: (source, offset) => told.push([source, offset]),
  });
  assert.equal(end, -1);
  assert.deepEqual(told, [
    "{",
    ["ab", 1],
    ["1.50", 13],
    "{",
    ["c", 20],
    ["-2e3", 25],
    "}",
    ["", 33],
    "{",
    "}",
    "}",
  ]);
  const deep = 100_000;
  assert.equal(scanJson("[".repeat(deep) + "]".repeat(deep)), -1);
  assert.equal(scanJson("[".repeat(deep) + "]".repeat(deep - 1)), 2 * deep - 1);
});
