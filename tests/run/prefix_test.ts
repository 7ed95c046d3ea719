import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { LogWriter } from "../../src/log/append.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { boundaries, cutAt, record, type Recorded, resumesAt } from "./cuts.ts";
import { jobsOf, kitAt, outputsOf, seededRandom } from "./kit.ts";

async function withRecorded(test: (recorded: Recorded) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "temper-prefix-" });
  try {
    await test(await record(join(root, "recorded")));
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
      assert.equal((await jobsOf(kit)).length, 1);
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
