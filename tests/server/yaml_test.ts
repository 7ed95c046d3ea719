import assert from "../deps/assert.ts";
import fc from "fast-check";
import { yamlPieces } from "../../server/views/run/yaml.tsx";

Deno.test("yamlPieces() loses and adds nothing, whatever the text is", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", ":", " ", "\n", "-", "#", "'", '"', "[", "}", "|", "é", "&", "%"),
  });
  fc.assert(
    fc.property(text, (text) => assert.equal(yamlPieces(text).map((piece) => piece.text).join(""), text)),
    { numRuns: 1000 },
  );
});

Deno.test("yamlPieces() knows keys, comments and strings", () => {
  const styles = yamlPieces('a: 1 # why\nlist: [x, {b: "c"}]\ntext: |\n  key: no\n').filter(({ style }) =>
    style && style !== "mark"
  );
  assert.deepEqual(styles.map(({ text, style }) => [text, style]), [
    ["a", "key"],
    ["# why", "comment"],
    ["list", "key"],
    ["b", "key"],
    ['"c"', "string"],
    ["text", "key"],
  ]);
});
