import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readLog } from "../../src/log/read.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { boundaries, record } from "../run/cuts.ts";
import { copyFolder, jobsOf, kitAt, outputsOf } from "../run/kit.ts";
import { Proof, withFolder } from "./proof.ts";

const HOUR_MS = 3_600_000;

function clockAt(hours: number): Clock {
  return { ...systemClock, now: () => Date.now() + hours * HOUR_MS };
}

/** Each look at it shows an earlier time. */
function clockThatRunsBack(): Clock {
  let now = Date.now();
  return { ...systemClock, now: () => now -= 1_000 };
}

async function times(dir: string): Promise<string[]> {
  return (await readLog(denoFs, join(dir, "events.jsonl"))).lines.map(({ event }) => event.t);
}

Deno.test("runPipeline() goes on although the clock was set back, and the times of its log never go back", () =>
  Proof.run("clock set back", (proof) =>
    withFolder(async (dir) => {
      const recorded = await record(join(dir, "recorded"));
      for (const [index, bytes] of boundaries(recorded.log).slice(0, -1).entries()) {
        await proof.try(`set back at event ${index}`, async () => {
          const root = join(dir, `cut-${index}`);
          await copyFolder(recorded.kit.root, root);
          await Deno.writeFile(
            join(root, "runs", recorded.id, "events.jsonl"),
            recorded.log.subarray(0, bytes),
          );
          proof.count("cuts");
          const clock = index % 2 === 0 ? clockAt(-5) : clockThatRunsBack();
          const kit = await kitAt(root, { clock });
          const { id, state, dir: run } = await runPipeline(kit.options());
          proof.count("resumes");
          assert.deepEqual([id, state.state], [recorded.id, "done"]);
          assert.deepEqual(await outputsOf(run), recorded.outputs);
          const seen = await times(run);
          assert.deepEqual(seen, seen.toSorted());
        });
      }
    })));

Deno.test("runPipeline() finds the newest run by what happened, not by the clock", () =>
  Proof.run(
    "order of runs",
    (proof) =>
      withFolder((root) =>
        proof.try("set back between two runs", async () => {
          let failing = true;
          const hooks = {
            configure() {
              if (failing) throw new TemperError("no", "no");
            },
          };
          const failed = await runPipeline((await kitAt(root, { clock: clockAt(0), hooks })).options());
          assert.equal(failed.state.state, "failed");
          failing = false;
          const interrupt = new AbortController();
          const control = {
            interrupt: interrupt.signal,
            cancel: new AbortController().signal,
            cancelWindowMs: () => 0,
          };
          const kit = await kitAt(root, {
            clock: clockAt(-5),
            hooks: {
              monitor({ signal }) {
                interrupt.abort(new Error("left"));
                signal.throwIfAborted();
              },
            },
          });
          const left = await runPipeline(kit.options({ control }));
          assert.equal(left.state.state, "interrupted");
          assert.notEqual(left.id, failed.id);
          const again = await runPipeline((await kitAt(root)).options());
          assert.deepEqual([again.did, again.id], ["resumed", left.id]);
          assert.equal((await jobsOf(kit)).length, 1);
        })
      ),
  ));
