import assert from "../deps/assert.ts";
import { parseTemplate, templateFields } from "../../src/lib/text/template.ts";

Deno.test("parseTemplate() splits text and fields", () => {
  assert.deepEqual(parseTemplate("a {{ b c }}{{d}} {e}"), ["a ", { field: "b c" }, { field: "d" }, " {e}"]);
  assert.deepEqual(templateFields(parseTemplate("{{ a }} {{ b }} {{a}}")), ["a", "b"]);
});

Deno.test("parseTemplate() refuses braces that do not pair", () => {
  for (const text of ["{{ a", "a }}", "{{ }}", "{{ a }} {{ b }", "{{ {{ a }} }}"]) {
    assert.throws(() => parseTemplate(text), SyntaxError, text);
  }
});

Deno.test("parseTemplate() takes filters that it knows, and leaves other bars to the name", () => {
  assert.deepEqual(parseTemplate("{{ a | json }} {{b|optional}} {{ c|d }} {{ e | upper }}"), [
    { field: "a", filter: "json" },
    " ",
    { field: "b", filter: "optional" },
    " ",
    { field: "c|d" },
    " ",
    { field: "e | upper" },
  ]);
  assert.throws(() => parseTemplate("{{ | json }}"), /names no field/);
});
