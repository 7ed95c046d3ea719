import { join } from "../../src/deps/path.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import assert from "../deps/assert.ts";
import { operationsOfARun, survives } from "./faults.ts";
import { outputsOf, seededRandom, withKit } from "./kit.ts";

const TRIED = 15;

for (const kind of ["full", "once"] as const) {
  const what = kind === "full" ? "a disk that fills up" : "a disk that fails once";
  Deno.test(`runPipeline() explains ${what} at any moment, and ends well the next time`, () =>
    withKit(async (kit) => {
      const { seed, random } = seededRandom();
      const { dir } = await runPipeline(kit.options());
      const expected = await outputsOf(dir);
      const operations = await operationsOfARun(join(kit.root, "counted"));
      assert(operations > 100);
      const stride = operations / TRIED;
      for (let at = random() * stride; at < operations; at += stride) {
        const from = 1 + Math.floor(at);
        try {
          await survives(join(kit.root, `at-${from}`), kind, from, expected);
        } catch (cause) {
          throw new Error(`operation ${from} of ${operations}, TEMPER_SEED=${seed}`, { cause });
        }
      }
    }));
}
