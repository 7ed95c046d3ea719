// deno-lint-ignore-file camelcase -- names of the pipeline file and of the log
import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { type Project, project, PYTHON, WITHOUT_TRAINER } from "../../e2e/kit.ts";
import { runNames } from "../../hermetic.ts";
import { TestCluster, TOKEN, WITHOUT_RAY } from "./test_cluster.ts";

/** Losses and scores of a project's next run. */
async function trained(
  tiny: Project,
  engine: object,
): Promise<{ losses: number[]; after: { loss: number; score: number } }> {
  const spec = JSON.parse(await denoFs.readText(tiny.file));
  await denoFs.writeAtomic(tiny.file, JSON.stringify({ ...spec, engine }));
  const { code, stderr } = await tiny.temper("run", "tiny.yaml", "--fresh");
  assert.equal(code, 0, stderr);
  const run = (await runNames(join(tiny.dir, "runs"))).at(-1);
  const job = join(tiny.dir, "runs", run!, "job");
  const lines = (await denoFs.readText(join(job, "metrics.jsonl"))).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  const { after } = JSON.parse(await denoFs.readText(join(job, "result.json")));
  return { losses: lines.filter(({ type }) => type === "train").map(({ loss }) => loss), after };
}

Deno.test({
  name: "run trains with two workers on two Ray nodes as with one process here",
  ignore: WITHOUT_RAY || WITHOUT_TRAINER,
  async fn() {
    await using cluster = await TestCluster.start(2);
    const env = { TEMPER_TEST_RAY_TOKEN: TOKEN, TEMPER_PYTHON: PYTHON!, OMP_NUM_THREADS: "1" };
    const train = { epochs: 1, learning_rate: 0.01, max_length: 128, dtype: "fp32" };
    const tiny = await project({ train }, env);
    const one = await trained(tiny, { kind: "local" });
    const two = await trained(tiny, { ...cluster.engine(), nodes: 2 });
    assert.equal(two.losses.length, one.losses.length);
    one.losses.forEach((loss, step) =>
      assert(Math.abs(loss - two.losses[step]!) < 1e-4, `${loss}, ${two.losses[step]}`)
    );
    assert(Math.abs(one.after.loss - two.after.loss) < 1e-4);
    assert.equal(two.after.score, one.after.score);
    const { engine } = JSON.parse((await tiny.temper("show", "last", "--json")).stdout);
    assert.deepEqual([engine.kind, engine.state, engine.workers], ["ray", "RUNNING", 2]);
    await tiny.remove();
  },
});
