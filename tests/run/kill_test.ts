import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { isKnown } from "../../src/log/events.ts";
import { readLog } from "../../src/log/read_log.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { startRunner } from "./runner_process.ts";
import { effectsOf, type Kit, outputsOf, seededRandom, withKit } from "./kit.ts";
import { runNames } from "../hermetic.ts";

const KILLS = 20;

Deno.test("a runner that is killed again and again ends in the same outputs, every effect committed once", () =>
  withKit(async (kit) => {
    const { seed, random } = seededRandom();
    try {
      await withKit(async (undisturbed) => {
        const expected = await runPipeline(undisturbed.options());
        let kills = 0;
        for (let round = 0; kills < KILLS; round++) {
          assert(round < KILLS * 4, `only ${kills} of ${round} runners could be killed`);
          const runner = await startRunner({ root: kit.root, pace: 15 });
          await new Promise((resolve) => setTimeout(resolve, random() * 250));
          runner.kill();
          const { signal, code } = await runner.finished;
          if (signal === "SIGKILL") kills++;
          else {
            assert.equal(code, 0);
            // A finished run would only be reported from here on.
            await Deno.writeTextFile(kit.data, `round ${round}\n`);
          }
        }
        await Deno.copyFile(undisturbed.data, kit.data);
        await denoFs.remove(kit.cacheDir);
        const last = await (await startRunner({ root: kit.root })).finished;
        assert.equal(last.code, 0);
        assert.deepEqual(await outputsOf(join(kit.runsDir, last.said!.id)), await outputsOf(expected.dir));
      });
      await assertRuns(kit);
    } catch (cause) {
      throw new Error(`TEMPER_SEED=${seed}`, { cause });
    }
  }));

/** Every log is whole, ends no step twice, and names one job; some were really cut short. */
async function assertRuns(kit: Kit): Promise<void> {
  let resumes = 0;
  for (const id of await runNames(kit.runsDir)) {
    const { lines, state } = await readLog(denoFs, join(kit.runsDir, id, "events.jsonl"));
    const events = lines.flatMap(({ event }) => isKnown(event) ? [event] : []);
    const done = events.flatMap((event) => event.type === "step.done" ? [event.step] : []);
    assert.equal(new Set(done).size, done.length, `${id}: ${done}`);
    const jobs = events.flatMap((event) => event.type === "step.submitted" ? [event.job["nonce"]] : []);
    assert(new Set(jobs).size <= 1, `${id}: ${jobs}`);
    resumes += state.resumes;
  }
  assert(resumes >= KILLS / 4, `only ${resumes} of ${KILLS} kills hit a run`);
}

Deno.test("of two runners that start at once, one drives the run and the other exits 3", () =>
  withKit(async (kit) => {
    const runners = await Promise.all([
      startRunner({ root: kit.root, pace: 200 }),
      startRunner({ root: kit.root, pace: 200 }),
    ]);
    const ends = await Promise.all(runners.map(({ finished }) => finished));
    assert.deepEqual(ends.map(({ code }) => code).sort(), [0, 3], JSON.stringify(ends));
    assert.equal(ends.find(({ code }) => code === 3)?.said?.code, "locked");
    assert.deepEqual(await effectsOf(kit), ["extract", "format", "configure", "job", "submit", "monitor"]);
    assert.equal((await runNames(kit.runsDir)).length, 1);
  }));
