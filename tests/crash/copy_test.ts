import assert from "../deps/assert.ts";
import { basename, join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readRun } from "../../src/log/liveness.ts";
import { cancelRun } from "../../src/run/cancel.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { until } from "../until.ts";
import { boundaries, record } from "../run/cuts.ts";
import { doubleAt } from "../run/double.ts";
import { copyFolder, kitAt, outputsOf } from "../run/kit.ts";
import { startRunner } from "../run/runner_process.ts";
import { Proof, withFolder } from "./proof.ts";

Deno.test("a project that was copied elsewhere goes on there, and its original is not touched", () =>
  Proof.run("copied run", (proof) =>
    withFolder(async (dir) => {
      const recorded = await record(join(dir, "original"));
      const log = join(recorded.kit.runsDir, recorded.id, "events.jsonl");
      for (const bytes of boundaries(recorded.log)) {
        await proof.try(`copied at byte ${bytes}`, async () => {
          await Deno.writeFile(log, recorded.log.subarray(0, bytes));
          const root = join(dir, `copy-${bytes}`);
          await copyFolder(recorded.kit.root, root);
          proof.count("cuts");
          const { id, state, dir: run } = await runPipeline((await kitAt(root)).options());
          proof.count("resumes");
          assert.deepEqual([id, state.state], [recorded.id, "done"]);
          assert.deepEqual(await outputsOf(run), recorded.outputs);
          assert.deepEqual(await Deno.readFile(log), recorded.log.subarray(0, bytes));
        });
      }
    })));

Deno.test("a copy of a run whose training is at work trains for itself, and neither disturbs the other", () =>
  Proof.run(
    "copied training",
    (proof) =>
      withFolder((dir) =>
        proof.try("copied while it trains", async () => {
          const here = join(dir, "here");
          await Deno.mkdir(here);
          const original = await doubleAt(here, "slow");
          const runner = await startRunner({ root: here, double: "slow" });
          await until(
            "three training steps",
            async () => (await denoFs.list(join(await original.jobDir(), "checkpoints"))).length >= 3,
          );
          await copyFolder(here, join(dir, "there"));
          await copyFolder(here, join(dir, "cancelled"));
          const cancelled = await doubleAt(join(dir, "cancelled"), "slow");
          const run = join(await cancelled.jobDir(), "..");
          const { env, cancelJob } = cancelled.options();
          const { signal } = new AbortController();
          const state = await cancelRun({ env, dir: run, host: "here", cancelJob, signal });
          assert.equal(state.state, "cancelled");
          const copy = await startRunner({ root: join(dir, "there"), double: "slow" });
          const [end, copied] = await Promise.all([runner.finished, copy.finished]);
          assert.deepEqual([end.code, copied.code], [0, 0], JSON.stringify([end.said, copied.said]));
          proof.count("resumes");
          assert.equal((await original.starts()).length, 1);
          const there = await doubleAt(join(dir, "there"), "slow");
          // The copy lists the original's trainer too.
          assert.equal((await there.starts()).length, 2);
          assert.equal(
            (await readRun(denoFs, join(await there.jobDir(), "..")))?.id,
            basename(join(await there.jobDir(), "..")),
          );
        })
      ),
  ));
