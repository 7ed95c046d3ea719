import { advise } from "../../src/commands/advise.ts";
import { writePipeline } from "./pipeline.ts";
import { snapshotTest } from "./kit.ts";

const CASE = ["--base-params", "8e9", "--rows", "5000"];

snapshotTest(advise, async ({ project, call }) => {
  await project(async (home) => {
    await writePipeline(home, "a.yaml");
    await call("a described case", home, [...CASE, "--memory", "16GB"], { width: 0 });
    const large = ["--base-params", "70e9", "--rows", "5000", "--memory", "8x80GB"];
    await call("several devices", home, large, { width: 0 });
    await call("an Apple computer", home, [...CASE, "--memory", "24GB", "--device", "mps"], { width: 0 });
    await call("nothing fits", home, [...CASE, "--memory", "2GB"], { width: 0 });
    await call("a number that is missing", home, []);
    await call("a number that is none", home, ["--base-params", "8x"]);
    await call("devices that are none", home, [...CASE, "--memory", "0x80GB"]);
    await call("an unknown device", home, ["--device", "tpu"]);
    await call("a file and a case", home, ["a.yaml", "--rows", "5"]);
  });
});
