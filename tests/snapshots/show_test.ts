import { show } from "../../src/commands/show.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { BEGINNING, DONE, FAILED, ManualClock, RUN_ID, training } from "../ui/recorded.ts";
import { finished, prediction, PREDICTIONS } from "../commands/finished_run.ts";
import { snapshotTest } from "./kit.ts";

async function trainerLock(dir: string) {
  await denoFs.mkdirp(`${dir}/job`);
  return await denoFs.lock(`${dir}/job/lock`);
}

snapshotTest(show, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, ["last"]);
  });
  await project(async (home) => {
    await finished(home);
    await call("a done run", home, ["last"]);
    await call("a name that is not there", home, ["kitchen"]);
    await call("the end of an id", home, ["3fa2"]);
    await home.addRun("20261120-080000-home-lora-10b2", DONE);
    await call("the beginning of two ids", home, ["2026"]);
    await call("a wrong number", home, ["last", "--predictions", "-1"]);
    await home.write(PREDICTIONS, prediction("a", false, true) + '{"origin": 1}\n');
    await call("predictions that cannot be read", home, ["last"]);
  });
  await project(async (home) => {
    await home.addRun(RUN_ID, FAILED);
    await call("a failed run", home, [RUN_ID]);
    await Deno.rename(`${home.dir}/runs`, `${home.dir}/my runs`);
    await call("another folder of runs", home, ["last", "--runs", "my runs"]);
  });
  await project(async (home) => {
    const dir = await home.addRun(RUN_ID, [...BEGINNING, ...training(9)]);
    await call("an interrupted run", home, ["last"]);
    const lock = await denoFs.lock(`${dir}/lock`);
    await call("a run that is driven", home, ["last"], { clock: new ManualClock() });
    await call("a run that is driven and silent", home, ["last"]);
    lock?.release();
    const trainer = await trainerLock(dir);
    await call("a training that goes on without the command", home, ["last"], { clock: new ManualClock() });
    trainer?.release();
    await home.write(`runs/${RUN_ID}/job/result.json`, '{"version": 1, "state": "done"}');
    await call("a training that was not collected", home, ["last"]);
  });
});
