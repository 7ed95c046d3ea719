import { tag } from "../../src/commands/tag.ts";
import { DONE, RUN_ID } from "../ui/recorded.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(tag, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, ["last", "baseline"]);
    await home.addRun(RUN_ID, DONE);
    await call("a run without tags", home, ["last"]);
    await call("tags and a note", home, ["last", "baseline", "keep", "--note", "before the new prompts"]);
    await call("a tag that is none", home, ["last", "two words"]);
    await call("a tag that it does not have", home, ["last", "--remove", "v2"]);
  });
});
