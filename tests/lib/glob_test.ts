import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { expandGlob } from "../../src/lib/files/glob.ts";

async function withTree(paths: readonly string[], test: (dir: string) => Promise<void>) {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const path of paths) {
      await denoFs.mkdirp(join(dir, path, ".."));
      await denoFs.writeAtomic(join(dir, path), "x");
    }
    await test(dir);
  } finally {
    await denoFs.remove(dir);
  }
}

async function match(dir: string, pattern: string): Promise<string[]> {
  return (await expandGlob(join(dir, pattern), denoFs)).map((path) => path.slice(dir.length + 1));
}

Deno.test("expandGlob() finds files only, sorted, hidden ones when named", async () => {
  await withTree(["b.csv", "a.csv", "a.json", ".h.csv", "d.csv/x.csv", "e/f/g.csv"], async (dir) => {
    assert.deepEqual(await match(dir, "*.csv"), ["a.csv", "b.csv"]);
    assert.deepEqual(await match(dir, "[a-b].{csv,json}"), ["a.csv", "a.json", "b.csv"]);
    assert.deepEqual(await match(dir, "**/*.csv"), ["a.csv", "b.csv", "d.csv/x.csv", "e/f/g.csv"]);
    assert.deepEqual(await match(dir, "{e/f,d.csv}/*.csv"), ["d.csv/x.csv", "e/f/g.csv"]);
    assert.deepEqual(await match(dir, ".*.csv"), [".h.csv"]);
    assert.deepEqual(await match(dir, "no/*.csv"), []);
  });
});

Deno.test("expandGlob() ends where links lead back", async () => {
  await withTree(["a/x.csv"], async (dir) => {
    await Deno.symlink(dir, join(dir, "a", "up"));
    await Deno.symlink("self", join(dir, "a", "self"));
    await Deno.symlink("nowhere", join(dir, "a", "gone.csv"));
    assert.deepEqual(await match(dir, "**/*.csv"), ["a/x.csv"]);
  });
});
