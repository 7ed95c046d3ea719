import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { digestOf, rememberDigest, stampOf } from "../../src/lib/files/digest_memo.ts";
import { denoFs, type Fs, sha256 } from "../../src/lib/files/fs.ts";

async function setUp(test: (path: string, cacheDir: string, fs: Fs, reads: () => number) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "file");
  await denoFs.writeAtomic(path, "one");
  let reads = 0;
  const fs = { ...denoFs, sha256: (file: string) => (reads++, denoFs.sha256(file)) };
  try {
    await test(path, join(dir, "cache"), fs, () => reads);
  } finally {
    await denoFs.remove(dir);
  }
}

/** Time since the file was written, as the memo sees it. */
function later(ms: number) {
  return { ...systemClock, now: () => Date.now() + ms };
}

Deno.test("digestOf() reads a file once it is not what was remembered", async () => {
  await setUp(async (path, cacheDir, fs, reads) => {
    await rememberDigest(path, sha256("one"), await stampOf(path, fs), { fs, cacheDir, clock: later(5000) });
    assert.equal(await digestOf(path, fs, cacheDir), sha256("one"));
    assert.equal(reads(), 0);
    await denoFs.writeAtomic(path, "two");
    assert.equal(await digestOf(path, fs, cacheDir), sha256("two"));
    assert.equal(reads(), 1);
  });
});

Deno.test("rememberDigest() keeps nothing of a file that changed a moment ago or while it was read", async () => {
  await setUp(async (path, cacheDir, fs, reads) => {
    const before = await stampOf(path, fs);
    await rememberDigest(path, "0".repeat(64), before, { fs, cacheDir, clock: later(1000) });
    assert.equal(await digestOf(path, fs, cacheDir), sha256("one"));
    await denoFs.writeAtomic(path, "other");
    await rememberDigest(path, "0".repeat(64), before, { fs, cacheDir, clock: later(5000) });
    assert.equal(await digestOf(path, fs, cacheDir), sha256("other"));
    assert.equal(reads(), 2);
  });
});

Deno.test("digestOf() writes nothing and survives a damaged memo", async () => {
  await setUp(async (path, cacheDir, fs) => {
    await digestOf(path, fs, cacheDir);
    assert.equal(await denoFs.stat(cacheDir), undefined);
    await rememberDigest(path, sha256("one"), await stampOf(path, fs), { fs, cacheDir, clock: later(5000) });
    for (const name of await denoFs.list(join(cacheDir, "digests"))) {
      await denoFs.writeAtomic(join(cacheDir, "digests", name), "{");
    }
    assert.equal(await digestOf(path, fs, cacheDir), sha256("one"));
  });
});
