import { cancel } from "../../src/commands/cancel.ts";
import { BEGINNING, DONE, RUN_ID } from "../ui/recorded.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(cancel, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, ["last"]);
    await home.addRun(RUN_ID, DONE);
    await call("a done run", home, ["last"]);
  });
  await project(async (home) => {
    await home.addRun(RUN_ID, BEGINNING.slice(0, 3));
    await call("a run of another machine", home, ["last"]);
    await call("a run of another machine that is gone", home, ["last", "--takeover"]);
  });
});
