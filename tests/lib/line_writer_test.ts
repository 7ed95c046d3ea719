import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import fc from "fast-check";
import { denoFs } from "../../src/lib/files/fs.ts";
import { LineWriter } from "../../src/lib/files/line_writer.ts";

Deno.test("LineWriter writes every line, however long and however seldom it is drained", async () => {
  const dir = await Deno.makeTempDir();
  const line = fc.oneof(fc.string({ unit: "grapheme" }), fc.nat(300_000).map((n) => "€".repeat(n)))
    .map((text) => text.replaceAll("\n", ""));
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(line, fc.boolean()), { maxLength: 8 }), async (lines) => {
        const path = join(dir, "out");
        const writer = await LineWriter.create(path, denoFs);
        for (const [text, drain] of lines) {
          writer.add(text);
          if (drain) await writer.drain();
        }
        assert.equal(writer.count, lines.length);
        await writer.finish();
        await writer.abandon();
        assert.equal(await denoFs.readText(path), lines.map(([text]) => text + "\n").join(""));
      }),
      { numRuns: 40 },
    );
  } finally {
    await denoFs.remove(dir);
  }
});
