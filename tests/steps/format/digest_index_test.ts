import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { murmur128 } from "../../../src/lib/files/murmur.ts";
import { DigestIndex } from "../../../src/steps/format/checks/digest_index.ts";

Deno.test("DigestIndex.visit() groups any number of rows as a map does, and leaves no file", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const indexes = [new DigestIndex(join(dir, "a"), denoFs), new DigestIndex(join(dir, "b"), denoFs)];
    const expected = new Map<string, number[]>();
    const key = (i: number) => murmur128(String(i % 7 === 0 ? "often" : i % 60_000));
    for (const [which, index] of indexes.entries()) {
      for (let i = 0; i < 100_000; i++) {
        const digest = key(i + which);
        index.add(digest, i);
        expected.set(digest, [...expected.get(digest)?.slice(0, 3) ?? [], i]);
        if (i % 500 === 0) await index.drain();
      }
      await index.drain();
    }
    assert.deepEqual(await denoFs.list(dir), ["a", "b"], "so many rows are on disk");
    let groups: number[][] = [];
    let last = "";
    let seen = 0;
    await DigestIndex.visit(indexes, {
      record(slot, isNew, value) {
        assert.equal(isNew, slot === groups.length);
        groups[slot] = [...groups[slot]?.slice(0, 3) ?? [], value];
      },
      range(slots, digest) {
        assert.equal(slots, groups.length);
        const digests = groups.map((_, slot) => digest(slot));
        for (const [slot, found] of digests.entries()) assert.deepEqual(groups[slot], expected.get(found));
        digests.sort();
        assert.ok(slots === 0 || (digests[0] as string) > last, "ranges come in order");
        last = digests.at(-1) ?? last;
        seen += slots;
        groups = [];
        return true;
      },
    });
    assert.equal(seen, expected.size);
    for (const index of indexes) await index.remove();
    assert.deepEqual(await denoFs.list(dir), []);
  } finally {
    await denoFs.remove(dir);
  }
});
