import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";

Deno.test("writeAtomic() may write one file several times at once: it has one of the contents, and nothing else is left", async () => {
  const dir = await Deno.makeTempDir({ prefix: "temper-fs-" });
  const texts = Array.from({ length: 20 }, (_, n) => `${n}`.repeat(50_000));
  await Promise.all(texts.map((text) => denoFs.writeAtomic(join(dir, "a"), text)));
  assert.ok(texts.includes(await Deno.readTextFile(join(dir, "a"))));
  assert.deepEqual(await denoFs.list(dir), ["a"]);
  await Deno.remove(dir, { recursive: true });
});
