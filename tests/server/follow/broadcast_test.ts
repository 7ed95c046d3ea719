import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { Broadcast } from "../../../server/follow/broadcast.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

/** What a reader gets in one go. */
function take(broadcast: Broadcast, from: number, seen = 0): { text: string; next: number } {
  const piece = broadcast.after(from, seen);
  return { text: text(piece.bytes), next: piece.next };
}

Deno.test("whatever the pace of its readers, each gets every message once and in order", () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat(40) }),
    fc.record({ reader: fc.nat(2) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const broadcast = new Broadcast();
    const readers = [0, 1, 2].map(() => ({ next: broadcast.next, text: "" }));
    let all = "";
    const read = (reader: { next: number; text: string }) => {
      const { text, next } = take(broadcast, reader.next);
      reader.text += text;
      reader.next = next;
    };
    steps.forEach((step, i) => {
      if ("reader" in step) return read(readers[step.reader]!);
      const message = `${i}:${"x".repeat(step.push)};`;
      all += message;
      broadcast.push(bytes(message), i + 1);
    });
    for (const reader of readers) {
      while (reader.next < broadcast.next) read(reader);
      assert.equal(reader.text, all);
    }
  }));
});

Deno.test("those who keep up are given the same bytes, and one whose messages are no longer kept is lost", () => {
  const broadcast = new Broadcast();
  const start = broadcast.next;
  for (let i = 0; i < 10; i++) broadcast.push(bytes(`${i}`.repeat(1000)), i + 1);
  assert.equal(broadcast.after(start, 0).bytes, broadcast.after(start, 0).bytes);
  assert.ok(broadcast.isKept(start));
  const message = new Uint8Array(1000);
  for (let i = 0; i < 2000; i++) broadcast.push(message);
  assert.ok(!broadcast.isKept(start));
  let kept = 0;
  for (let at = broadcast.next; broadcast.isKept(at - 1) && at > 0; at--) kept++;
  assert.ok(kept * message.length <= 1024 * 1024, `${kept} messages are kept`);
  // As much as there is, but in pieces that a slow reader can be given.
  assert.ok(broadcast.after(broadcast.next - kept, 0).bytes.length <= 64 * 1024);
});

Deno.test("events that a reader has from the file are left out, and only for it", () => {
  const broadcast = new Broadcast();
  broadcast.push(bytes("a"), 10);
  broadcast.push(bytes("-"));
  broadcast.push(bytes("b"), 20);
  assert.equal(take(broadcast, 0).text, "a-b");
  assert.equal(take(broadcast, 0, 10).text, "-b");
  assert.equal(take(broadcast, 0, 20).text, "-");
  assert.equal(take(broadcast, 0).text, "a-b");
  assert.deepEqual(take(broadcast, 3), { text: "", next: 3 });
  broadcast.push(bytes("c"), 30);
  assert.deepEqual(take(broadcast, 3), { text: "c", next: 4 });
});
