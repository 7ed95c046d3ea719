import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { createSources } from "../../server/run_sources.ts";
import { runs as runsCommand } from "../../src/commands/runs.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { findRun } from "../../src/library/find_run.ts";
import { earlierRuns } from "../../src/run/run_folder.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { prune } from "../../src/run/prune.ts";
import { nameInId } from "../../src/run/run_id.ts";
import { latestRun } from "../../src/run/latest_run.ts";
import { project } from "../commands/run_kit.ts";
import { runNames } from "../hermetic.ts";
import { kitAt } from "./kit.ts";

const YEAR_MS = 365 * 86_400_000;

function yearsAgo(years: number): Clock {
  return { ...systemClock, now: () => Date.now() - years * YEAR_MS };
}

/** A run of the kit's pipeline made `years` ago, by its clock. */
async function runMade(root: string, years: number): Promise<string> {
  const kit = await kitAt(root, { clock: yearsAgo(years) });
  const { id, state } = await runPipeline(kit.options({ fresh: true }));
  assert.equal(state.state, "done");
  return id;
}

Deno.test("with the clock set back between two runs, last, runs, the page and prune agree on the newer one", async () => {
  await using home = await project();
  const first = await runMade(home.dir, 0);
  const second = await runMade(home.dir, 2);
  assert.ok(second < first, "the later run has the earlier id");
  const runsDir = join(home.dir, "runs");

  assert.equal((await findRun(denoFs, runsDir, "last")).id, second);
  const listed = JSON.parse((await home.call(runsCommand, ["--json"])).out);
  assert.deepEqual(listed.map(({ id }: { id: string }) => id), [second, first]);
  const { index } = createSources(denoFs, systemClock, runsDir, { runs: "runs", cwd: home.dir });
  assert.deepEqual((await index.rows()).map(({ id }) => id), [second, first]);

  const kit = await kitAt(home.dir);
  const { loaded, steps, env } = kit.options();
  assert.equal((await latestRun(loaded, steps, env, runsDir))?.id, second);
  await prune(env, { runsDir, keep: 1 });
  assert.deepEqual(await runNames(runsDir), [second]);
});

Deno.test("runs of earlier versions keep their order and are older than every run with a number", async () => {
  await using home = await project();
  const old = await runMade(home.dir, 0);
  const runsDir = join(home.dir, "runs");
  // As the version before numbered its runs: by name, and in the plan alone.
  const log = join(runsDir, old, "events.jsonl");
  await Deno.writeTextFile(log, (await Deno.readTextFile(log)).replace(/"number":1,/, ""));
  const made = await runMade(home.dir, 3);
  assert.equal((await findRun(denoFs, runsDir, "last")).id, made);
  const [latest] = await earlierRuns(denoFs, runsDir, nameInId(made)!);
  assert.deepEqual([latest?.id, latest?.plan.number], [made, 2]);
});
