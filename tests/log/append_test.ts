import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs, type FileWriter, type Fs } from "../../src/lib/files/fs.ts";
import { LogWriter, TORN_FILE } from "../../src/log/append.ts";
import { readLog } from "../../src/log/read.ts";
import { STARTED } from "./events.ts";

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "temper-log-" });
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const progress = (done: number) => ({ type: "step.progress", step: "extract", phase: "p", done }) as const;
const error = { code: "x", message: "x" };

/** The real file system, with writers that call `before` first. */
function watchedFs(before: (operation: "write" | "sync", data: string) => void): Fs {
  const watched = (writer: FileWriter): FileWriter => ({
    async write(data) {
      before("write", typeof data === "string" ? data : new TextDecoder().decode(data));
      await writer.write(data);
    },
    async sync() {
      before("sync", "");
      await writer.sync();
    },
    close: () => writer.close(),
  });
  return { ...denoFs, append: async (path) => watched(await denoFs.append(path)) };
}

Deno.test("LogWriter writes what readLog() reads, numbered on over several writers", () =>
  withDir(async (dir) => {
    const one = await LogWriter.open(denoFs, dir, systemClock);
    await one.decide(STARTED);
    for (let done = 0; done < 50; done++) one.note(progress(done));
    await one.close();
    const two = await LogWriter.open(denoFs, dir, systemClock);
    assert.equal(two.torn, 0);
    await two.decide({ type: "run.done" });
    await two.close();
    const log = await readLog(denoFs, join(dir, "events.jsonl"));
    assert.deepEqual(log.lines.map(({ event }) => event.seq), Array.from({ length: 52 }, (_, i) => i + 1));
    assert.deepEqual(log.state, two.state);
    assert.equal(log.state.state, "done");
  }));

Deno.test("LogWriter makes decisions durable before it says so, and progress never", () =>
  withDir(async (dir) => {
    const operations: string[] = [];
    const log = await LogWriter.open(
      watchedFs((operation, data) => operations.push(operation === "sync" ? "sync" : JSON.parse(data).type)),
      dir,
      systemClock,
    );
    await log.decide(STARTED);
    log.note(progress(1));
    log.note(progress(2));
    await log.decide({ type: "run.done" });
    await log.close();
    const progressed = ["step.progress", "step.progress"];
    assert.deepEqual(operations, ["run.started", "sync", ...progressed, "run.done", "sync"]);
  }));

Deno.test("LogWriter cuts an unfinished line before its first event and keeps the bytes", () =>
  withDir(async (dir) => {
    const path = join(dir, "events.jsonl");
    const one = await LogWriter.open(denoFs, dir, systemClock);
    await one.decide(STARTED);
    await one.close();
    const before = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, '{"v":1,"seq":2,"t":"20', { append: true });
    const two = await LogWriter.open(denoFs, dir, systemClock);
    assert.equal(two.torn, 22);
    await two.decide({ type: "run.resumed", torn: two.torn, host: "here", pid: 2, version: "0" });
    await two.close();
    assert.equal(await Deno.readTextFile(join(dir, TORN_FILE)), '{"v":1,"seq":2,"t":"20');
    const after = await Deno.readTextFile(path);
    assert(after.startsWith(before));
    assert.deepEqual([two.state.seq, two.state.torn], [2, 22]);
    assert.equal((await readLog(denoFs, path)).state.resumes, 1);
  }));

Deno.test("LogWriter explains a full disk and writes nothing more after it", () =>
  withDir(async (dir) => {
    let full = false;
    const fs = watchedFs((operation) => {
      if (full && operation === "write") throw Object.assign(new Error("os error 28"), { code: "ENOSPC" });
    });
    const log = await LogWriter.open(fs, dir, systemClock);
    await log.decide(STARTED);
    const before = await Deno.readTextFile(join(dir, "events.jsonl"));
    full = true;
    log.note(progress(1));
    await new Promise((resolve) => setTimeout(resolve, 0));
    full = false;
    const failed = await log.decide({ type: "run.done" }).catch((error) => error);
    assert(failed instanceof TemperError);
    assert.equal(failed.code, "disk-full");
    assert.match(failed.message, /^Cannot write ".*events.jsonl": no space is left on the device$/);
    await assert.rejects(log.decide({ type: "run.failed", error }), failed);
    await assert.rejects(log.close(), failed);
    assert.equal(await Deno.readTextFile(join(dir, "events.jsonl")), before);
  }));

Deno.test("LogWriter refuses an event above the longest line and one that could not be read again", () =>
  withDir(async (dir) => {
    const log = await LogWriter.open(denoFs, dir, systemClock);
    await log.decide(STARTED);
    await assert.rejects(
      log.decide({ type: "run.failed", error: { code: "x", message: "x".repeat(70_000) } }),
      RangeError,
    );
    await assert.rejects(
      log.decide({ type: "step.started", step: "extract", key: "k", attempt: 0 }),
      /attempt/,
    );
    await log.decide({ type: "run.done" });
    await log.close();
    assert.equal((await readLog(denoFs, join(dir, "events.jsonl"))).state.seq, 2);
  }));
