import { explain } from "../../src/commands/explain.ts";
import { MATRIX, writePipeline } from "./pipeline.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(explain, async ({ project, call }) => {
  await project(async (home) => {
    await writePipeline(home, "a.yaml");
    await call("no earlier run", home, ["a.yaml"]);
    await home.write("m.yaml", MATRIX);
    await call("a matrix", home, ["m.yaml"]);
    await call("a combination that is not there", home, ["m.yaml", "--cell", "rank-5"]);
  });
});
