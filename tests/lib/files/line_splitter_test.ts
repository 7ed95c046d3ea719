import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { type LineBlock, LineSplitter } from "../../../src/lib/files/line_splitter.ts";

const content = fc.uint8Array({ maxLength: 200 }).map((bytes) =>
  bytes.map((byte) => byte % 5 === 0 ? 10 : byte)
);
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });

/** Pushes the bytes in pieces of these sizes, through one buffer that is overwritten each time. */
function split(splitter: LineSplitter, bytes: Uint8Array, sizes: readonly number[]): LineBlock[] {
  const buffer = new Uint8Array(64);
  const blocks: LineBlock[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const piece = bytes.subarray(at, at + (sizes[i % sizes.length] as number));
    buffer.set(piece);
    for (const block of splitter.push(buffer.subarray(0, piece.length))) {
      blocks.push({ ...block, bytes: block.bytes.slice() });
    }
    at += piece.length;
  }
  return blocks;
}

/** Where each whole line of the bytes begins and ends, without its newline. */
function linesOf(bytes: Uint8Array): [from: number, to: number][] {
  const lines: [number, number][] = [];
  let from = 0;
  bytes.forEach((byte, i) => {
    if (byte !== 10) return;
    lines.push([from, i]);
    from = i + 1;
  });
  return lines;
}

Deno.test("LineSplitter gives every whole line with its place, and keeps the unfinished one, however the bytes come", () => {
  fc.assert(fc.property(content, sizes, fc.nat(1000), (bytes, sizes, start) => {
    const splitter = new LineSplitter(start);
    const blocks = split(splitter, bytes, sizes);
    const end = bytes.lastIndexOf(10) + 1;
    assert.equal(splitter.end, start + end);
    assert.equal(splitter.held, bytes.length - end);
    assert.deepEqual(splitter.rest()?.bytes ?? new Uint8Array(), bytes.slice(end));
    // The blocks and the newlines behind them are the file up to its last newline.
    assert.deepEqual(blocks.flatMap(({ bytes }) => [...bytes, 10]), [...bytes.subarray(0, end)]);
    let at = start;
    for (const block of blocks) {
      assert.deepEqual([block.start, block.end], [at, at + block.bytes.length + 1]);
      at = block.end;
    }
  }));
});

Deno.test("LineSplitter leaves out exactly the bytes of lines that are too long", () => {
  fc.assert(fc.property(content, sizes, fc.integer({ min: 60, max: 80 }), (bytes, sizes, most) => {
    // No piece is longer than what may be held, so that a line is judged by its own length.
    const blocks = split(new LineSplitter(0, most), bytes, sizes);
    const lines = linesOf(bytes);
    for (const { start, end, tooLong, bytes: found } of blocks) {
      const inside = lines.filter(([from]) => from >= start && from < end);
      if (!tooLong) {
        assert.deepEqual(found, bytes.slice(start, end - 1));
        continue;
      }
      const [[from, to]] = inside as [[number, number]];
      assert.deepEqual([inside.length, from, found.length], [1, start, 0]);
      assert.ok(to - from > most);
    }
    assert.equal(blocks.at(-1)?.end ?? 0, bytes.lastIndexOf(10) + 1);
  }));
});

Deno.test("LineSplitter goes on at its end after forgetting the unfinished line", () => {
  fc.assert(fc.property(content, content, sizes, (first, second, sizes) => {
    const splitter = new LineSplitter();
    split(splitter, first, sizes);
    splitter.forget();
    const from = splitter.end;
    const blocks = split(splitter, second, sizes);
    assert.equal(splitter.end, from + second.lastIndexOf(10) + 1);
    assert.deepEqual(blocks.flatMap(({ bytes }) => [...bytes, 10]), [
      ...second.subarray(0, second.lastIndexOf(10) + 1),
    ]);
  }));
});
