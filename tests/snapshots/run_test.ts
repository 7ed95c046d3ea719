import { run } from "../../src/commands/run.ts";
import { FIVE_MISTAKES, MATRIX, writePipeline } from "./pipeline.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(run, async ({ project, call }) => {
  await project(async (home) => {
    await writePipeline(home, "a.yaml");
    await call("no such file", home, ["b.yaml"]);
    await home.write("bad.yaml", FIVE_MISTAKES);
    await call("mistakes in the file", home, ["bad.yaml"]);
    await home.write("m.yaml", MATRIX);
    await call("a matrix", home, ["m.yaml"]);
    await call("a combination that is not there", home, ["m.yaml", "--cell", "rank-5"]);
  });
});
