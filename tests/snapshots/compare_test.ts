import { compare } from "../../src/commands/compare.ts";
import { MATRIX, writePipeline } from "./pipeline.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(compare, async ({ project, call }) => {
  await project(async (home) => {
    await writePipeline(home, "a.yaml");
    await call("a file without a matrix", home, ["a.yaml"]);
    await home.write("m.yaml", MATRIX.replace("8]", "eight]"));
    await call("a mistake in the matrix", home, ["m.yaml"]);
  });
});
