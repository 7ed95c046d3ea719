import assert from "../deps/assert.ts";
import { parseCount, parseSize } from "../../src/lib/text/quantity.ts";

Deno.test("parseSize() reads decimal and binary units", () => {
  assert.equal(parseSize("24GiB"), 24 * 2 ** 30);
  assert.equal(parseSize("80 gb"), 80e9);
  assert.equal(parseSize("1.5TB"), 1.5e12);
  for (const text of ["", "24", "x", "-1GB", "0GB", "24 GiBs"]) {
    assert.equal(parseSize(text), undefined, text);
  }
});

Deno.test("parseCount() reads exponents and letters", () => {
  assert.equal(parseCount("8e9"), 8e9);
  assert.equal(parseCount("8B"), 8e9);
  assert.equal(parseCount("135M"), 135e6);
  assert.equal(parseCount("5000"), 5000);
  for (const text of ["", "0", "-1", "8G", "1e999", "NaN"]) assert.equal(parseCount(text), undefined, text);
});
