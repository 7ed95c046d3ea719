import { logs } from "../../src/commands/logs.ts";
import { DONE, FAILED, RUN_ID } from "../ui/recorded.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(logs, async ({ project, call }) => {
  await project(async (home) => {
    await home.addRun(RUN_ID, FAILED);
    await call("a failed run", home, ["last"]);
    await call("no log of a trainer", home, ["last", "--trainer"]);
    await call("options that exclude each other", home, ["last", "--no-follow", "-f"]);
    await home.write(`runs/${RUN_ID}/job/trainer.log`, "loading\r\n10%\r20%\rTraceback \x1b[31m\nlast");
    await call("the log of a trainer", home, ["last", "--trainer"]);
  });
  await project(async (home) => {
    await home.addRun(RUN_ID, DONE);
    await call("a done run", home, ["last"]);
  });
});
