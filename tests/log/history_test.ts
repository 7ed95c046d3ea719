import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { filesBelow, folderDigest } from "../../src/lib/files/folder.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { LogWriter } from "../../src/log/append.ts";
import { listRuns, readRun } from "../../src/log/liveness.ts";
import { readLog } from "../../src/log/read.ts";

const FIXTURES = join(import.meta.dirname!, "..", "fixtures", "runs");

/** State, steps, events, resumes and cut bytes of each run, as the temper that wrote it saw them. */
const V1: Readonly<Record<string, readonly [state: string, steps: string, events: number, torn: number]>> = {
  cached: ["done", "done cached, done cached, done cached, done 1, done 1", 16, 0],
  cancelled: ["cancelled", "done 1, done 1, done 1, done 1, cancelled 1", 17, 0],
  done: ["done", "done 1, done 1, done 1, done 1, done 1", 24, 0],
  failed: ["failed", "done 1, done 1, done 1, done 1, failed 1", 18, 0],
  interrupted: ["interrupted", "done 1, done 1, done 1, done 1, interrupted 1", 15, 0],
  "later-types": ["done", "done 1, done 3, done 1, done 1, done 1", 25, 0],
  resumed: ["done", "done 1, done 1, done 1, done 1, done 2", 22, 30],
  retried: ["done", "done 1, done 3, done 1, done 1, done 1", 19, 0],
};
/** Of all files, so that nobody adapts the past to a reader. */
const DIGEST = "05daf6596400afe8a632affe7b721101eb14ca2bae3257dbcf94fb102515104b";

Deno.test("readRun() reads every run that version 1 has written", async () => {
  const dir = join(FIXTURES, "v1");
  const found: Record<string, unknown> = {};
  for (const { id } of await listRuns(denoFs, dir)) {
    const state = await readRun(denoFs, join(dir, id));
    const { lines } = await readLog(denoFs, join(dir, id, "events.jsonl"));
    assert(state);
    const steps = state.steps.map(({ state, attempt, cached }) => `${state} ${cached ? "cached" : attempt}`);
    found[id] = [state.state, steps.join(", "), lines.length, state.torn];
  }
  assert.deepEqual(found, V1);
});

Deno.test("the runs that version 1 has written are the ones it wrote", async () => {
  const files = [];
  for (const name of await filesBelow(FIXTURES, denoFs)) {
    if (!name.endsWith(".md")) files.push({ name, sha256: await denoFs.sha256(join(FIXTURES, name)) });
  }
  assert.equal(folderDigest(files), DIGEST);
});

Deno.test("LogWriter goes on with a log that version 1 has left unfinished", async () => {
  const dir = await Deno.makeTempDir({ prefix: "temper-history-" });
  try {
    const old = await Deno.readFile(join(FIXTURES, "v1", "interrupted", "events.jsonl"));
    await Deno.writeFile(join(dir, "events.jsonl"), old);
    const log = await LogWriter.open(denoFs, dir, systemClock);
    assert.equal(log.torn, 30);
    await log.decide({ type: "run.resumed", torn: log.torn, host: "here", pid: 1, version: "9" });
    await log.decide({ type: "run.cancelled" });
    await log.close();
    const now = await Deno.readFile(join(dir, "events.jsonl"));
    const kept = old.length - log.torn;
    assert.deepEqual(now.subarray(0, kept), old.subarray(0, kept));
    assert.equal((await readRun(denoFs, dir))?.state, "cancelled");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
