import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { createApp } from "../../server/app.tsx";
import { createSources } from "../../server/run_sources.ts";
import { runs } from "../../src/commands/runs.ts";
import { show } from "../../src/commands/show.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { project } from "../commands/run_kit.ts";
import { until } from "../until.ts";
import { doubleAt } from "./double.ts";
import { startRunner } from "./runner_process.ts";

Deno.test("runs, show and the page say that a training goes on without its command, and then that it can be collected", async () => {
  await using home = await project();
  const kit = await doubleAt(home.dir, "slow");
  const runner = await startRunner({ root: home.dir, double: "slow" });
  const jobDir = await until("three steps of the training", async () => {
    const dir = await kit.jobDir();
    return (await denoFs.list(join(dir, "checkpoints"))).length >= 3 ? dir : undefined;
  });
  runner.kill();
  await runner.finished;

  const sources = createSources(denoFs, systemClock, kit.runsDir, { runs: "runs", cwd: home.dir });
  const app = createApp(sources, { host: "127.0.0.1" });
  const [row] = await sources.index.rows();
  const page = async () =>
    await (await app.request(`/runs/${row!.id}`, { headers: { host: "localhost" } })).text();

  const alone = (await home.call(runs, [])).out;
  assert.match(alone, /\bunattended +\d+%/);
  assert.match(
    alone,
    /: training goes on without the command\n {2}Follow it to its end: deno task resume \S+\n/,
  );
  assert.match((await home.call(show, ["last"])).out, /^▹ slow: training goes on without the command\n/);
  const { state, activity } = JSON.parse((await home.call(show, ["last", "--json"])).out);
  assert.deepEqual([state, activity], ["interrupted", "unattended"]);
  assert.match(await page(), /Training goes on without the command\..*Follow it to its end/s);
  assert.equal(row!.activity, "unattended");

  await until("the end of the training", async () => !await denoFs.isLocked(join(jobDir, "lock")));
  const left = (await home.call(runs, [])).out;
  assert.match(left, /\btrained +\d+%/);
  assert.match(left, /: trained, but not collected: .*\n {2}Collect it: deno task resume \S+\n/);
  assert.match((await home.call(show, ["last"])).out, /^◆ slow: trained, but not collected/);
  // The trainer's own words count: nobody wrote its last steps into the log.
  assert.match((await home.call(show, ["last"])).out, /train 20\/20 steps/);
  assert.match(
    await page(),
    /Trained, but not collected: .*Collect it<\/dt>.*temper resume /s,
  );
  const [after] = await sources.index.rows();
  assert.deepEqual([after!.state, after!.activity], ["interrupted", "trained"]);
  assert.ok(after!.share > row!.share, "the share goes on as well");
});
