import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { withMemoryFolder } from "../../../src/lib/files/memory_folder.ts";

const ROOT = "/memory-of-a-test";

Deno.test("withMemoryFolder() keeps what is written, whatever the writer does with its buffer", async () => {
  const fs = withMemoryFolder(denoFs, ROOT);
  const path = join(ROOT, "a", "file");
  const writer = await fs.create(path);
  const buffer = new TextEncoder().encode("one");
  await writer.write(buffer);
  buffer.fill(0);
  await writer.write(" two");
  await writer.close();
  assert.equal(await fs.readText(path), "one two");
  assert.equal((await fs.stat(path))?.size, 7);
  let part = "";
  for await (const chunk of fs.readChunks(path, 2, 5)) part += new TextDecoder().decode(chunk);
  assert.equal(part, "e t");
  const reader = await fs.openRead(path);
  const read = new Uint8Array(10);
  assert.deepEqual([await reader.readAt(4, read), new TextDecoder().decode(read.subarray(0, 3))], [3, "two"]);
  await fs.rename(path, join(ROOT, "b"));
  assert.deepEqual([await fs.stat(path), await fs.list(ROOT)], [undefined, ["b"]]);
  await fs.remove(ROOT);
  assert.deepEqual(await fs.list(ROOT), []);
});

Deno.test("withMemoryFolder() reads everything else, and writes none of it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const fs = withMemoryFolder(denoFs, ROOT);
    await Deno.writeTextFile(join(dir, "real"), "text");
    assert.equal(await fs.readText(join(dir, "real")), "text");
    await assert.rejects(async () => await fs.writeAtomic(join(dir, "real"), "other"), TypeError);
    await assert.rejects(async () => await fs.remove(join(dir, "real")), TypeError);
    assert.equal(await Deno.readTextFile(join(dir, "real")), "text");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
