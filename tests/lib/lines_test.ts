import assert from "../deps/assert.ts";
import fc from "fast-check";
import { type LineFault, readLines, type ReadLinesOptions } from "../../src/lib/files/lines.ts";

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  // One buffer for all chunks, as files are read: what readLines keeps it must have copied.
  const buffer = new Uint8Array(64);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const chunk = bytes.subarray(at, at + (sizes[i % sizes.length] ?? 1));
    buffer.set(chunk);
    yield await Promise.resolve(buffer.subarray(0, chunk.length));
    at += chunk.length;
  }
}

async function read(bytes: Uint8Array, sizes: readonly number[], options: ReadLinesOptions = {}) {
  const lines: string[] = [];
  let terminated = true;
  for await (const batch of readLines(cut(bytes, sizes), options)) {
    assert.equal(batch.first, lines.length + 1);
    lines.push(...batch.lines);
    terminated = batch.terminated;
  }
  return { lines, terminated };
}

const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 });
const line = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll("\n", ""));

Deno.test("readLines() gives the lines of any text, however it is cut into chunks", async () => {
  await fc.assert(fc.asyncProperty(fc.array(line), fc.boolean(), sizes, async (lines, ends, sizes) => {
    const text = lines.join("\n") + (ends ? "\n" : "");
    const expected = text === ""
      ? []
      : text.endsWith("\n")
      ? text.slice(0, -1).split("\n")
      : text.split("\n");
    const found = await read(new TextEncoder().encode(text), sizes);
    assert.deepEqual(found.lines, expected);
    if (text !== "") assert.equal(found.terminated, text.endsWith("\n"));
  }));
});

Deno.test("readLines() puts an empty line for one that is not UTF-8 and says where", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line), line, fc.array(line), sizes, async (before, start, after, sizes) => {
      const encoder = new TextEncoder();
      const head = encoder.encode([...before, start].join("\n"));
      const bytes = new Uint8Array([...head, 0xff, 10, ...encoder.encode(after.join("\n"))]);
      const faults: LineFault[] = [];
      const { lines } = await read(bytes, sizes, { start: 3, onFault: (fault) => faults.push(fault) });
      assert.deepEqual(faults, [{ line: before.length + 1, byte: 3 + head.length, kind: "encoding" }]);
      assert.deepEqual(lines.slice(0, before.length + 1), [...before, ""]);
    }),
  );
});

Deno.test("readLines() skips a line that is too long without keeping it", async () => {
  const faults: LineFault[] = [];
  const bytes = new TextEncoder().encode(`a\n${"x".repeat(500)}\nb\n${"y".repeat(500)}`);
  const options = { maxBytes: 100, onFault: (fault: LineFault) => faults.push(fault) };
  const { lines, terminated } = await read(bytes, [7], options);
  assert.deepEqual(lines, ["a", "", "b", ""]);
  assert.equal(terminated, false);
  assert.deepEqual(faults.map(({ line, kind }) => [line, kind]), [[2, "length"], [4, "length"]]);
});

Deno.test("readLines() throws at a fault that nobody takes", async () => {
  await assert.rejects(read(new Uint8Array([0xff, 10]), [1]), /line 1 at byte 0: wrong encoding/);
});
