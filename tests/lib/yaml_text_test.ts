import assert from "../deps/assert.ts";
import fc from "fast-check";
import { parse } from "yaml";
import { blockYaml, flowYaml } from "../../src/lib/text/yaml_text.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "no",
    "true",
    "NULL",
    "~",
    "1",
    "1e3",
    "a: b",
    "- a",
    "#a",
    "{a}",
    "{{ a }}",
    "a\nb\n",
    "'",
    '"',
    "*a",
    "<<",
  ),
);
const name = fc.constantFrom("path", "format", "a b", "user", "true", "1x");
const entry = fc.dictionary(name, fc.oneof(text, fc.dictionary(name, text, { minKeys: 1 })), { minKeys: 1 });

Deno.test("flowYaml() and blockYaml() write what YAML reads as the same", () => {
  fc.assert(
    fc.property(entry, (entry) => {
      const plain = JSON.parse(JSON.stringify(entry));
      assert.deepEqual(parse(flowYaml(entry)), plain);
      assert.deepEqual(parse(blockYaml(entry, "  ").join("\n")), plain);
      assert.equal(flowYaml(entry).split("\n").length, 1);
    }),
    { numRuns: 500, seed: 2 },
  );
});

Deno.test("flowYaml() quotes only what needs it", () => {
  assert.equal(
    flowYaml({ path: "data/a-1.csv", delimiter: ";", encoding: "windows-1252", quote: undefined }),
    '{path: data/a-1.csv, delimiter: ";", encoding: windows-1252}',
  );
});
