import { plan } from "../../src/commands/plan.ts";
import { hostname } from "node:os";
import { MATRIX, writePipeline } from "./pipeline.ts";
import { snapshotTest } from "./kit.ts";

/** Without keys, which change with the trainer, and what each machine has its own of. */
function ofNoMachine(text: string): string {
  return text
    .replace(/ {2}[0-9a-f]{8} {2}/g, "  KEY  ")
    .replace(/about [\d.]+ GB of [\d.]+ GB/g, "about N GB of N GB")
    .replace(/about [\d.]+ m?s training, [\d.]+ m?s evaluation/g, "about N s training, N s evaluation")
    .replace(/\d+ GFLOP\/s assumed for \d+ cores?/g, "N GFLOP/s assumed for N cores")
    // Columns are as wide as what stands in them.
    .replace(/(?<=\S) {2,}/g, "  ");
}

/** What the trainer said of this machine when it was asked: a CPU without bf16. */
const ANSWER = {
  torch: "2.15.0",
  host: hostname(),
  devices: { cpu: { dtype: "fp32", why: "this CPU has no bf16 instructions" } },
};
const MACHINE = { version: 1, devices: {}, answers: { [`${hostname()} lock`]: ANSWER } };

snapshotTest(plan, async ({ project, call }) => {
  await project(async (home) => {
    await writePipeline(home, "a.yaml");
    await home.write(".temper/machine.json", JSON.stringify(MACHINE));
    await call("before the first run", home, ["a.yaml"], { width: 0 });
    await call("on eight small GPUs", home, ["a.yaml", "--memory", "8x1GB"], { width: 0 });
    await call("on devices that are none", home, ["a.yaml", "--memory", "8 GPUs"]);
    await home.write("m.yaml", MATRIX);
    await call("a matrix", home, ["m.yaml"], { width: 0 });
  });
}, ofNoMachine);
