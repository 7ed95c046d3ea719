import { join } from "../../src/deps/path.ts";
import { prune } from "../../src/commands/prune.ts";
import { copyFolder } from "../run/kit.ts";
import { snapshotTest } from "./kit.ts";

const V1 = join(import.meta.dirname!, "..", "fixtures", "runs", "v1");

snapshotTest(prune, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, []);
    for (const [i, name] of ["done", "failed", "interrupted"].entries()) {
      await copyFolder(join(V1, name), join(home.dir, "runs", `20261120-00000${i}-${name}-000${i}`));
    }
    await call("nothing that is old enough", home, []);
    await call("a look", home, ["--keep", "0"]);
    await call("for good", home, ["--keep", "0", "--yes"]);
    await call("a number that is none", home, ["--keep", "many"]);
    await call("an age that is none", home, ["--older-than", "30"]);
  });
});
