import assert from "../../deps/assert.ts";
import { createHash } from "node:crypto";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { sha256 } from "../../../src/lib/files/sha256.ts";

const reference = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Bytes that are the same in every run. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  let state = length + 1;
  return Uint8Array.from({ length }, () => (state = state * 1_103_515_245 + 12_345 >>> 0) >>> 16 & 255);
}

Deno.test("sha256() is node's, at every length around the blocks and around what it leaves to node", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = bytesOf(length);
    assert.equal(sha256(bytes), reference(bytes), `${length} bytes`);
  }
  for (const length of [4_095, 65_535, 65_536, 65_537, 200_000]) {
    const bytes = bytesOf(length);
    assert.equal(sha256(bytes), reference(bytes), `${length} bytes`);
  }
  for (const text of ["", "abc", "Größe 🦊 \u0000", "\ud800", "x".repeat(70_000)]) {
    assert.equal(sha256(text), reference(text), text.slice(0, 20));
  }
});

Deno.test("sha256() of a file is that of its bytes, whether it is read whole or in pieces", async () => {
  const path = await Deno.makeTempFile();
  try {
    for (const length of [0, 1, 65_537, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1]) {
      const bytes = bytesOf(length);
      await Deno.writeFile(path, bytes);
      assert.equal(await denoFs.sha256(path), reference(bytes), `${length} bytes`);
    }
  } finally {
    await Deno.remove(path);
  }
});
