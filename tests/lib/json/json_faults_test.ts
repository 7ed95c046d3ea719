import assert from "../../deps/assert.ts";
import fc from "fast-check";
import type { Json } from "../../../src/lib/json/json.ts";
import { lossFault, placeIn, syntaxFault } from "../../../src/lib/json/json_faults.ts";

/** The fault of a text that JSON.parse refuses, as `text from there on: reason`. */
function faultOf(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    const { offset, reason } = syntaxFault(text, error);
    return `${text.slice(offset, offset + 4)}: ${reason}`;
  }
  throw new Error(`JSON.parse takes ${text}`);
}

const LONG = `"note": "${"a long remark ".repeat(40)}"`;
const FAULTS: [name: string, text: string, expected: RegExp][] = [
  ["NaN", `{"a": NaN, ${LONG}}`, /^NaN,: NaN is Python's, JSON has null$/],
  ["minus infinity", `{"a": -Infinity, ${LONG}}`, /^-Inf: Infinity is Python's, JSON has no such number$/],
  ["None in a list", `{"a": [1, None], ${LONG}}`, /^None: None is Python's, JSON has null$/],
  ["True", `{"a": True, ${LONG}}`, /^True: True is Python's, JSON has true$/],
  ["undefined", `{"a": undefined, ${LONG}}`, /^unde: undefined is JavaScript's, JSON has null$/],
  [
    "single quotes",
    `{'a': 1, ${LONG}}`,
    /^'a':: a single quote, JSON has double ones; .* json\.dumps writes it$/,
  ],
  ["curly quotes", `{“a”: 1, ${LONG}}`, /^“a”:: a curly quote \(“\), JSON has straight ones \("\)$/],
  ["a curly quote as a value", `{"a": ”x”, ${LONG}}`, /^”x”,: a curly quote/],
  ["a byte order mark", `{"a": 1, \uFEFF${LONG}}`, /^\uFEFF"no: a byte order mark \(U\+FEFF\)/],
  ["a comma before a brace", `{${LONG}, "a": {"b": 1,}}`, /^,}}: an extra comma$/],
  ["a comma before a bracket", `{${LONG}, "a": [1, 2, ]}`, /^, \]}: an extra comma$/],
  ["two commas", `{"a": [1,, 2], ${LONG}}`, /^, 2\]: an extra comma$/],
  ["a raw tab", `{"a": "x\ty", ${LONG}}`, /^\ty",: a raw tab inside a string, which JSON writes \\t$/],
  ["a control character", `{"a": "x\u0001", ${LONG}}`, /^.",.: a control character .* writes \\u0001$/],
  [
    "a quote within a text",
    `{"a": "the "best" one", ${LONG}}`,
    /^best: text after a closing quote; .* \\"$/,
  ],
  ["an unknown escape", `{"a": "C:\\dir", ${LONG}}`, /^\\dir: the escape \\d, .* \\\\$/],
  ["a comment", `{"a": 1, // one\n ${LONG}}`, /^\/\/ o: a comment, which JSON does not have$/],
  ["a bare name", `{a: 1, ${LONG}}`, /^a: 1: the name a has no quotes$/],
  ["no value", `{"a": , ${LONG}}`, /^, "n: a value is missing$/],
  ["no comma", `{"a": 1 ${LONG}}`, /^"not: a comma or a colon is missing before it$/],
  ["a cut text", `{${LONG}, "a": "x`, /^: unterminated string$/],
  ["a cut object", `{${LONG}, "a": [`, /^: unexpected end of JSON input$/],
];
for (const [name, text, expected] of FAULTS) {
  Deno.test(`syntaxFault() finds ${name} where it stands and says what it is`, () => {
    assert.match(faultOf(text), expected);
  });
}

Deno.test("syntaxFault() answers for a text that is nested a hundred thousand deep", () => {
  assert.match(faultOf("[".repeat(100_000) + "x"), /./);
});

/** The number of keys that a text gives twice, by the standard's own reading of it. */
function repeated(text: string): boolean {
  const open: Set<string>[] = [];
  let twice = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (token.endsWith(":")) {
      const key = JSON.parse(token.slice(0, -1)) as string;
      twice ||= open.at(-1)!.has(key);
      open.at(-1)!.add(key);
    }
  }
  return twice;
}

// No key is a lone backslash: V8 misreads escaped keys once it has read one (nodejs/node#63785).
const text = fc.string({
  unit: fc.constantFrom("a", "b", '"', ":", "\\", " ", "{", "😀", "\\n"),
  maxLength: 5,
});
const key = text.map((text) => `k${text}`);
const space = fc.constantFrom("", " ", "\n\t");
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)).map((value) => JSON.stringify(value)),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
    fc.array(fc.tuple(key, space, tie("value")), { maxLength: 4 }).map((members) =>
      `{${members.map(([key, space, value]) => `${JSON.stringify(key)}${space}:${value}`).join(",")}}`
    ),
  ),
}));

Deno.test("lossFault() finds a key that is given twice, and nothing else", () => {
  let found = 0;
  fc.assert(
    fc.property(value, (text) => {
      const fault = lossFault(text, JSON.parse(text) as Json);
      assert.equal(fault !== undefined, repeated(text), text);
      if (fault) found++;
    }),
    { numRuns: 5000, seed: 11 },
  );
  assert.ok(found > 50, `${found} texts had such a key`);
});

Deno.test("lossFault() names the key at its second place, and numbers that no double holds", () => {
  const fault = (text: string) => lossFault(text, JSON.parse(text) as Json);
  assert.deepEqual(fault('{"a": 1, "b": {"a": 2, "\\u0061": 3}}'), {
    offset: 23,
    reason: 'the key "a" is given twice',
  });
  assert.deepEqual(fault('{"a": [0, -1e999]}'), {
    offset: 10,
    reason: "the number -1e999 is too large",
  });
  assert.equal(fault('{"__proto__": 1, "a": {"__proto__": 2}, "b": ":)"}'), undefined);
});

Deno.test("placeIn() counts lines and characters", () => {
  assert.deepEqual(placeIn('{"a":\n "😀", x', 12), { lines: 1, column: 6 });
  assert.deepEqual(placeIn("x", 0), { lines: 0, column: 1 });
});
