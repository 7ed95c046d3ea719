import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import { tailLog } from "../../src/log/tail.ts";
import { numbered, STARTED, textOf } from "./events.ts";

const progress = { type: "step.progress", step: "extract", phase: "p" } as const;
const EVENTS = numbered([STARTED, progress, progress, progress, progress]);
const [A, B, C, D, E] = EVENTS.map((event) => textOf([event])) as [string, string, string, string, string];

/** A tail that collects sequence numbers, on a fast clock, until it has seen `until`. */
async function withTail(
  fs: Fs,
  test: (
    log: {
      path: string;
      append(text: string): Promise<void>;
      seen: number[];
      waitFor(n: number): Promise<void>;
    },
  ) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "temper-tail-" });
  const path = join(dir, "events.jsonl");
  const end = new AbortController();
  const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal) };
  const seen: number[] = [];
  const following = (async () => {
    for await (const { event } of tailLog(fs, path, clock, { signal: end.signal })) seen.push(event.seq);
  })();
  const waitFor = async (n: number) => {
    while (seen.length < n) {
      const failed = await Promise.race([following.then(() => true), systemClock.sleep(2).then(() => false)]);
      if (failed) throw new Error("the tail ended");
    }
    await systemClock.sleep(20);
  };
  try {
    await test({ path, append: (text) => Deno.writeTextFile(path, text, { append: true }), seen, waitFor });
  } finally {
    end.abort();
    await following.catch(() => {});
    await Deno.remove(dir, { recursive: true });
  }
}

/** A file system that never says that something changed, like a network mount. */
const SILENT: Fs = { ...denoFs, watch: () => () => {} };

for (const [name, fs] of [["watching", denoFs], ["polling", SILENT]] as const) {
  Deno.test(`tailLog() follows a file from before it exists, ${name}`, () =>
    withTail(fs, async ({ append, seen, waitFor }) => {
      await systemClock.sleep(10);
      await append(A);
      await waitFor(1);
      await append(B + C);
      await waitFor(3);
      assert.deepEqual(seen, [1, 2, 3]);
    }));
}

Deno.test("tailLog() waits for a line to be finished", () =>
  withTail(denoFs, async ({ append, seen, waitFor }) => {
    await append(A + B.slice(0, 30));
    await waitFor(1);
    assert.deepEqual(seen, [1]);
    await append(B.slice(30));
    await waitFor(2);
    assert.deepEqual(seen, [1, 2]);
  }));

Deno.test("tailLog() forgets an unfinished line that a resuming runner cut off", () =>
  withTail(denoFs, async ({ path, append, seen, waitFor }) => {
    await append(A + B + C.slice(0, 40));
    await waitFor(2);
    await Deno.truncate(path, A.length + B.length);
    await append(C + D + E);
    await waitFor(5);
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  }));

Deno.test("tailLog() starts behind a line that was read before", async () => {
  const dir = await Deno.makeTempDir({ prefix: "temper-tail-" });
  try {
    const path = join(dir, "events.jsonl");
    await Deno.writeTextFile(path, A + B + C);
    const end = new AbortController();
    const seen: [number, number][] = [];
    for await (const line of tailLog(denoFs, path, systemClock, { from: A.length, signal: end.signal })) {
      seen.push([line.event.seq, line.end]);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, [[2, A.length + B.length], [3, A.length + B.length + C.length]]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("tailLog() ends without an error when it is told to", async () => {
  const end = new AbortController();
  const tail = tailLog(denoFs, "/nowhere/events.jsonl", systemClock, { signal: end.signal });
  const next = tail.next();
  end.abort();
  assert.equal((await next).done, true);
});
