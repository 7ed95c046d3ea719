import assert from "../../deps/assert.ts";
import { DigestTable } from "../../../src/steps/format/checks/digest_table.ts";

Deno.test("DigestTable.slotOf() tells digests apart that differ in one word, while it grows", () => {
  const table = new DigestTable();
  for (let round = 0; round < 2; round++) {
    const slots = new Map<string, number>();
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < 4000; i++) {
        const words = [0, 0, 0, 0];
        words[i % 4] = (i + 1) * 4096;
        const [a = 0, b = 0, c = 0, d = 0] = words;
        const slot = table.slotOf(a, b, c, d);
        const name = words.join();
        assert.equal(slot, slots.get(name) ?? slots.size);
        slots.set(name, slot);
        assert.equal(
          table.digest(slot),
          String.fromCharCode(...words.flatMap((word) => [word >>> 16, word & 0xffff])),
        );
      }
    }
    assert.equal(table.size, 4000);
    table.clear();
    assert.equal(table.size, 0);
  }
});
