import { show } from "../../src/commands/show.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { BEGINNING, DONE, FAILED, RUN_ID, training } from "../ui/recorded.ts";
import { finished, prediction, PREDICTIONS } from "../commands/finished_run.ts";
import { snapshotTest } from "./kit.ts";

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
    await call("a run that is driven", home, ["last"]);
    lock?.release();
  });
});
