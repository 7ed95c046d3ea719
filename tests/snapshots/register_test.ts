import { register } from "../../src/commands/register.ts";
import { BEGINNING, RUN_ID } from "../ui/recorded.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(register, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, ["last"]);
    await home.addRun(RUN_ID, BEGINNING);
    await call("a run that is not done", home, ["last"]);
  });
});
