import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFs } from "../../src/lib/fs.ts";
import { LogWriter } from "../../src/log/append.ts";
import { readLog } from "../../src/log/read.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { effectsOf, type Kit, kitAt, outputsOf, seededRandom } from "./kit.ts";

const STEPS = ["extract", "format", "configure", "submit", "monitor"];

interface Recorded {
  readonly kit: Kit;
  readonly id: string;
  readonly log: Uint8Array;
  readonly outputs: Record<string, string>;
}

/** One undisturbed run, and a way to put its project back as it was when only `bytes` of its log were written. */
async function record(root: string): Promise<Recorded> {
  const kit = await kitAt(root);
  const { id, dir } = await runPipeline(kit.options());
  return { kit, id, log: await Deno.readFile(join(dir, "events.jsonl")), outputs: await outputsOf(dir) };
}

/** Everything a step did stays, the log ends early: the runner was killed between an effect and its commit. */
async function cutAt({ kit, id, log }: Recorded, bytes: number): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "temper-cut-" });
  const { success } = await new Deno.Command("cp", { args: ["-a", `${kit.root}/.`, root] }).output();
  assert(success);
  await Deno.writeFile(join(root, "runs", id, "events.jsonl"), log.subarray(0, bytes));
  return root;
}

function boundaries(log: Uint8Array): number[] {
  const ends = [0];
  for (const [index, byte] of log.entries()) if (byte === 10) ends.push(index + 1);
  return ends;
}

/** Nothing earlier changed, one end for each step, and nothing that had ended was started again. */
async function assertHistory(dir: string, before: Uint8Array): Promise<void> {
  const path = join(dir, "events.jsonl");
  const after = await Deno.readFile(path);
  const committed = before.subarray(0, boundaries(before).at(-1));
  assert.deepEqual(after.subarray(0, committed.length), committed);
  const ended = new Set<string>();
  for (const { event } of (await readLog(denoFs, path)).lines) {
    if ("unknown" in event) continue;
    if (event.type === "step.started") assert(!ended.has(event.step), `${event.step} was redone`);
    if (event.type !== "step.done" && event.type !== "step.skipped") continue;
    assert(!ended.has(event.step), `${event.step} ended twice`);
    ended.add(event.step);
  }
  assert.deepEqual([...ended], STEPS);
}

/** `cold`: the cache was lost too, so that unfinished steps run again. */
async function resumesAt(recorded: Recorded, bytes: number, cold: boolean): Promise<void> {
  const root = await cutAt(recorded, bytes);
  try {
    const kit = await kitAt(root);
    if (cold) await Deno.remove(kit.cacheDir, { recursive: true });
    const outcome = await runPipeline(kit.options());
    assert.equal(outcome.id, recorded.id);
    assert.equal(outcome.state.state, "done");
    assert.deepEqual(await outputsOf(outcome.dir), recorded.outputs);
    await assertHistory(outcome.dir, recorded.log.subarray(0, bytes));
    assert.equal((await effectsOf(kit)).filter((effect) => effect === "job").length, 1);
    assert.equal(await denoFs.stat(join(outcome.dir, "attempts")), undefined);
    assert.equal((await runPipeline(kit.options())).did, "reported");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function withRecorded(test: (recorded: Recorded) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "temper-prefix-" });
  try {
    await test(await record(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("runPipeline() ends in the same outputs from every event boundary", () =>
  withRecorded(async (recorded) => {
    const cuts = boundaries(recorded.log);
    assert(cuts.length > 12);
    for (const [index, bytes] of cuts.slice(0, -1).entries()) {
      await resumesAt(recorded, bytes, index % 2 === 1);
    }
  }));

Deno.test("runPipeline() ends in the same outputs from a line cut anywhere", () =>
  withRecorded(async (recorded) => {
    const { seed, random } = seededRandom();
    for (let i = 0; i < 20; i++) {
      const bytes = Math.floor(random() * (recorded.log.length - 1));
      await resumesAt(recorded, bytes, random() < 0.5).catch((cause) => {
        throw new Error(`cut at byte ${bytes}, TEMPER_SEED=${seed}`, { cause });
      });
    }
  }));

Deno.test("runPipeline() redoes a finished step whose output somebody removed, and says so", () =>
  withRecorded(async (recorded) => {
    const cuts = boundaries(recorded.log);
    const root = await cutAt(recorded, cuts.at(-2)!);
    try {
      const kit = await kitAt(root);
      await Deno.remove(join(kit.runsDir, recorded.id, "steps", "4-submit"), { recursive: true });
      const outcome = await runPipeline(kit.options());
      assert.deepEqual(await outputsOf(outcome.dir), recorded.outputs);
      assert.match(outcome.state.steps[3]?.messages[0] ?? "", /"job.txt" is missing\): running it again$/);
      assert.equal((await effectsOf(kit)).filter((effect) => effect === "job").length, 1);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  }));

Deno.test("runPipeline() refuses a log that was damaged, and --fresh gets past it", () =>
  withRecorded(async ({ kit, id, log }) => {
    const path = join(kit.runsDir, id, "events.jsonl");
    const cuts = boundaries(log);
    await Deno.writeFile(path, new Uint8Array([...log.subarray(0, cuts[2]), ...log.subarray(cuts[3])]));
    const error = await runPipeline(kit.options()).catch((error) => error);
    assert.equal(error.code, "corrupt-log");
    assert.match(error.message, /line 3, byte \d+: seq is 4 after 2$/);
    assert.match(error.hint, /--fresh/);
    await assert.rejects(LogWriter.open(denoFs, join(kit.runsDir, id), systemClock), { code: "corrupt-log" });
    assert.equal((await runPipeline(kit.options({ fresh: true }))).state.state, "done");
  }));
