import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { lastLines, tailOf } from "../../../src/lib/files/last_lines.ts";

Deno.test("lastLines() gives the last whole lines, and takes a carriage return for an end too", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "trainer.log");
    assert.deepEqual(await lastLines(path, denoFs, 100, 3), []);
    await Deno.writeTextFile(path, "one\r\n\n10%\r20%\r\nthree  \nfour");
    assert.deepEqual(await lastLines(path, denoFs, 100, 3), ["20%", "three", "four"]);
    assert.deepEqual(await lastLines(path, denoFs, 100, 9), ["one", "10%", "20%", "three", "four"]);
    // Of a line that is cut there is more than it shows.
    assert.deepEqual(await lastLines(path, denoFs, 10, 9), ["four"]);
    assert.deepEqual(await lastLines(path, denoFs, 2, 9), ["ur"]);
    assert.equal(await tailOf(path, denoFs), "\n    one\n    10%\n    20%\n    three\n    four");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
