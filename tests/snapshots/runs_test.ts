import { runs } from "../../src/commands/runs.ts";
import { BEGINNING, DONE, FAILED, training } from "../ui/recorded.ts";
import { snapshotTest } from "./kit.ts";

const [NEWEST, MIDDLE, OLDEST] = [
  "22-080000-home-lora-3fa2",
  "21-080000-home-lora-77aa",
  "20-080000-home-lora-10b2",
]
  .map((end) => `202611${end}`) as [string, string, string];

snapshotTest(runs, async ({ project, call }) => {
  await project(async (home) => {
    await call("no run yet", home, []);
    await home.addRun(NEWEST, DONE);
    await home.addRun(MIDDLE, FAILED);
    await home.addRun(OLDEST, [...BEGINNING, ...training(9)]);
    await call("a done, a failed and an interrupted run", home, []);
    await call("a narrow terminal", home, [], { width: 50 });
    await home.write(`runs/${MIDDLE}/events.jsonl`, "no json\n");
    await call("a log that cannot be read", home, []);
    await call("a wrong argument", home, ["prune"]);
  });
});
