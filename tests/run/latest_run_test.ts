import assert from "../deps/assert.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { latestRun } from "../../src/run/latest_run.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { withKit } from "./kit.ts";

Deno.test("latestRun() finds the run of this very plan, and none once the data changed", () =>
  withKit(async (kit) => {
    const { loaded, steps, env, runsDir } = kit.options();
    const find = () => latestRun(loaded, steps, env, runsDir);
    assert.equal(await find(), undefined);
    const { id } = await runPipeline(kit.options());
    const found = await find();
    assert.deepEqual([found?.id, found?.state], [id, "done"]);
    await Deno.writeTextFile(kit.data, "four\n");
    assert.equal(await find(), undefined);
  }));

Deno.test("latestRun() leaves it to the run to say why it cannot be planned", () =>
  withKit(async (kit) => {
    const { loaded, steps, env, runsDir } = kit.options();
    const failing = (error: Error) => [{ ...steps[0]!, inputs: () => Promise.reject(error) }];
    const missing = new TemperError("no-data", "Cannot read the data");
    assert.equal(await latestRun(loaded, failing(missing), env, runsDir), undefined);
    await assert.rejects(latestRun(loaded, failing(new TypeError("bug")), env, runsDir), TypeError);
  }));
