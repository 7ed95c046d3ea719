import { unregister } from "../../src/commands/unregister.ts";
import { DONE, RUN_ID } from "../ui/recorded.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(unregister, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, ["last"]);
    await home.addRun(RUN_ID, DONE);
    await call("a run that was never served", home, ["last"]);
  });
});
