import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import fc from "fast-check";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { MAX_LINE } from "../../src/log/events.ts";
import { isDriven, listRuns, readRun } from "../../src/log/liveness.ts";
import { LineReader, readLog } from "../../src/log/read.ts";
import { anyLog, folded, numbered, STARTED, textOf } from "./events.ts";
import { until } from "../until.ts";

const encode = (text: string) => new TextEncoder().encode(text);

async function withFile(content: string | Uint8Array, test: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "temper-log-" });
  try {
    const path = join(dir, "events.jsonl");
    await Deno.writeFile(path, typeof content === "string" ? encode(content) : content);
    await test(path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function failsWith(content: string | Uint8Array, message: RegExp): Promise<void> {
  return withFile(content, async (path) => {
    const error = await readLog(denoFs, path).catch((error) => error);
    assert(error instanceof TemperError, `expected an error, got ${JSON.stringify(error)}`);
    assert.equal(error.code, "corrupt-log");
    assert(error.message.startsWith(`Cannot read "${path}" at `), error.message);
    assert.match(error.message, message);
  });
}

const [first, second, third] = numbered([
  STARTED,
  { type: "step.started", step: "extract", key: "k", attempt: 1 },
  { type: "run.done" },
]);

Deno.test("LineReader gives the same events however the bytes arrive", () => {
  fc.assert(fc.property(anyLog, fc.infiniteStream(fc.integer({ min: 1, max: 400 })), (events, sizes) => {
    const bytes = encode(textOf(events));
    const reader = new LineReader("log");
    const lines = [];
    for (let at = 0; at < bytes.length;) {
      const size = sizes.next().value ?? 1;
      lines.push(...reader.push(bytes.subarray(at, at + size)));
      at += size;
    }
    assert.deepEqual(lines.map(({ event }) => event), events);
    assert.equal(reader.end, bytes.length);
    assert.equal(reader.torn, 0);
  }));
});

Deno.test("readLog() takes any cut of a log for the events before it and a torn rest", () =>
  withFile("", async (path) => {
    const property = fc.asyncProperty(anyLog, fc.nat(), async (events, cut) => {
      const bytes = encode(textOf(events));
      const at = cut % (bytes.length + 1);
      await Deno.writeFile(path, bytes.subarray(0, at));
      const whole = textOf(events).split("\n").reduce(
        (ends, line) => [...ends, (ends.at(-1) ?? 0) + encode(line).length + 1],
        [0],
      );
      const end = whole.filter((offset) => offset <= at).at(-1) ?? 0;
      const log = await readLog(denoFs, path);
      assert.deepEqual([log.end, log.torn], [end, at - end]);
      assert.deepEqual(log.state, folded(events.slice(0, log.lines.length)));
    });
    await fc.assert(property, { numRuns: 50 });
  }));

Deno.test("readLog() takes a missing file for an empty log", async () => {
  const log = await readLog(denoFs, "/nowhere/events.jsonl");
  assert.deepEqual([log.lines.length, log.end, log.torn], [0, 0, 0]);
});

Deno.test("readLog() names file, line and byte of a line that is no JSON", () =>
  failsWith(
    `${textOf([first!])}{"v":1,\n${textOf([third!])}`,
    new RegExp(`line 2, byte ${textOf([first!]).length}: `),
  ));

Deno.test("readLog() refuses a gap in seq", () =>
  failsWith(textOf([first!, third!]), /line 2, byte \d+: seq is 3 after 1$/));

Deno.test("readLog() refuses a log that does not begin with its first event", () =>
  failsWith(textOf([second!]), /line 1, byte 0: seq is 2 after 0$/));

Deno.test("readLog() refuses an event version it does not know", () =>
  failsWith(textOf([{ ...first, v: 2 }]), /line 1, byte 0: event version is 2, this temper reads 1$/));

Deno.test("readLog() names the field of an event that is not as it should be", () =>
  failsWith(textOf([first!, { ...second!, attempt: 0 }]), /line 2, byte \d+: attempt: /));

Deno.test("readLog() refuses bytes that are not UTF-8", () =>
  failsWith(new Uint8Array([...encode(textOf([first!])), 0xff, 10]), /line 2/));

Deno.test("readLog() refuses a file that has no newline within the longest line", () =>
  failsWith("x".repeat(MAX_LINE + 1), /line 1, byte 0: no newline within/));

Deno.test("readRun() calls an unfinished run running while its lock is held and interrupted afterwards", () =>
  withFile(textOf([first!, second!]), async (path) => {
    const dir = join(path, "..");
    assert.equal((await readRun(denoFs, dir))?.state, "interrupted");
    const lock = await denoFs.lock(join(dir, "lock"));
    assert.equal(await isDriven(denoFs, dir), true);
    assert.equal((await readRun(denoFs, dir))?.state, "running");
    lock?.release();
    await until("its lock to be gone", async () => (await readRun(denoFs, dir))?.state === "interrupted");
    await Deno.writeTextFile(path, textOf([third!]), { append: true });
    assert.equal((await readRun(denoFs, dir))?.state, "done");
  }));

Deno.test("listRuns() lists runs newest first and leaves out what never started", async () => {
  const dir = await Deno.makeTempDir({ prefix: "temper-log-" });
  try {
    for (const [id, event] of [["b", first], ["a", { ...first, t: "2026-11-23T00:00:00.000Z" }]] as const) {
      await Deno.mkdir(join(dir, id));
      await Deno.writeTextFile(join(dir, id, "events.jsonl"), textOf([event!]));
    }
    await Deno.mkdir(join(dir, "claimed"));
    await Deno.mkdir(join(dir, "torn"));
    await Deno.writeTextFile(join(dir, "torn", "events.jsonl"), '{"v":1');
    await Deno.writeTextFile(join(dir, "notes.txt"), "");
    assert.deepEqual((await listRuns(denoFs, dir)).map(({ id }) => id), ["a", "b"]);
    assert.deepEqual(await listRuns(denoFs, join(dir, "nothing")), []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
