import assert from "../deps/assert.ts";
import fc from "fast-check";
import { utf8Fault } from "../../src/lib/files/bytes.ts";

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

Deno.test("utf8Fault() finds the byte up to which a decoder agrees", () => {
  const byte = fc.oneof(
    fc.constantFrom(0x41, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
    fc.nat(255),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 12 }), (list) => {
      const bytes = new Uint8Array(list);
      const fault = utf8Fault(bytes);
      assert.equal(fault < 0, decodes(bytes));
      if (fault < 0) return;
      assert.ok(decodes(bytes.subarray(0, fault)), "what lies before the fault is right");
      const longer = [1, 2, 3, 4].some((n) =>
        fault + n <= bytes.length && decodes(bytes.subarray(fault, fault + n))
      );
      assert.ok(!longer, "no sequence begins at the fault");
    }),
    { numRuns: 2000 },
  );
});
