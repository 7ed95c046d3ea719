import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { rayEngine } from "../../../src/engines/ray/engine.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { cancelRun } from "../../../src/run/cancel.ts";
import { doubleAt, type DoubleKit } from "../../run/double.ts";
import { outputsOf, seededRandom } from "../../run/kit.ts";
import { readyRunner, type RunnerEnd, startRunner } from "../../run/runner_process.ts";
import { until } from "../../until.ts";
import { assertSaid, rayDouble, runDir, sent, stateOf } from "./ray_double.ts";
import { TestCluster, TOKEN, WITHOUT_RAY } from "./test_cluster.ts";

/** Kills of the runner; the long proof takes 100. */
const KILLS = Number(Deno.env.get("TEMPER_RAY_KILLS") ?? 6);
/** Kills before a run is let to its end. */
const KILLS_PER_RUN = 4;

Deno.test({
  name: "the Ray engine",
  ignore: WITHOUT_RAY,
  async fn(t) {
    await using cluster = await TestCluster.start(2);
    const root = await Deno.makeTempDir();
    const kit = (name: string, double = "home", engine: object = {}) =>
      rayDouble(join(root, name), double, cluster, engine);

    await t.step("trains to the end, as one job", async () => {
      const tiny = await kit("undisturbed");
      const { code, said } = await drive(tiny);
      assert.equal(code, 0, JSON.stringify(said));
      assert.equal((await tiny.starts()).length, 1);
      assert.deepEqual(await sent(tiny, cluster), ["1 SUCCEEDED"]);
    });

    await t.step("is one job with the same result after kill -9 of the runner again and again", async () => {
      const { seed, random } = seededRandom();
      const expected = await resultOf(await doubleAt(join(root, "undisturbed"), "home"));
      for (let kills = 0; kills < KILLS;) {
        const tiny = await kit(`killed after ${kills}`);
        for (let lives = 0; lives < KILLS_PER_RUN && await killed(tiny, 300 + random() * 1500); lives++) {
          kills++;
        }
        const { code, said } = await drive(tiny);
        assert.equal(code, 0, `TEMPER_SEED=${seed}: ${JSON.stringify(said)}`);
        assert.deepEqual(await resultOf(tiny), expected, `TEMPER_SEED=${seed}`);
        assert.equal((await tiny.starts()).length, 1, `TEMPER_SEED=${seed}`);
        assert.deepEqual(await sent(tiny, cluster), ["1 SUCCEEDED"], `TEMPER_SEED=${seed}`);
      }
    });

    await t.step("goes on from the checkpoint when a worker was killed, and says so", async () => {
      const tiny = await kit("worker killed", "crashes-once");
      const { code, said } = await drive(tiny);
      assert.equal(code, 0, JSON.stringify(said));
      assert.equal((await tiny.starts()).length, 2);
      assert.deepEqual(await sent(tiny, cluster), ["1 FAILED", "2 SUCCEEDED"]);
      await assertSaid(tiny, [
        /^Ray job temper-\S+-1 runs on \S+$/,
        /^The trainer of worker 0 on \S+ was killed by SIGKILL without a result: restarting it \(1 of 3\)$/,
        /^Training resumes from the checkpoint of step 5$/,
      ]);
    });

    await t.step("carries the log of a worker that has left no result", async () => {
      const tiny = await kit("bad", "bad");
      assert.equal((await drive(tiny)).code, 2);
      const { message } = (await stateOf(tiny))!.error!;
      assert.match(
        message,
        /^Cannot finish the training: the trainer of worker 0 on \S+ ended with exit code 2 /,
      );
      assert.match(message, /\n {4}error: unrecognized arguments$/);
      assert.deepEqual(await sent(tiny, cluster), ["1 FAILED"]);
    });

    await t.step("reports what the trainer itself found wrong, and sends nothing again", async () => {
      const tiny = await kit("fails", "fails");
      assert.equal((await drive(tiny)).code, 1);
      assert.match((await stateOf(tiny))!.error!.message, /^Cannot train: loss is NaN/);
      assert.deepEqual(await sent(tiny, cluster), ["1 FAILED"]);
    });

    await t.step("ends with its reason when the job is stopped on the cluster", async () => {
      const tiny = await kit("stopped", "slow");
      const runner = await startRunner({ root: tiny.root, double: "slow" });
      await until("the trainer", async () => (await tiny.starts()).length === 1);
      await cluster.stop(`temper-${(await stateOf(tiny))!.id}-1`);
      assert.equal((await runner.finished).code, 1);
      const { code, message, hint } = (await stateOf(tiny))!.error!;
      assert.equal(code, "job-cancelled");
      assert.match(
        message,
        /^Cannot finish the training: Ray job temper-\S+-1 was stopped outside temper/,
      );
      assert.match(hint!, /^Run the same command again: /);
    });

    await t.step("says what the cluster lacks while it waits, and is cancelled there", async () => {
      const tiny = await kit("waiting", "home", { num_cpus: 2 });
      const runner = await startRunner({ root: tiny.root, double: "home" });
      const lacking = "not enough resources: one node with 2 CPU needed, 0 of the cluster's 2 have that";
      await until("the reason", async () => (await stateOf(tiny))?.engine?.["reason"] === lacking);
      runner.kill();
      await runner.finished;
      await cancel(tiny);
      assert.deepEqual(await sent(tiny, cluster), ["1 STOPPED"]);
      assert.deepEqual(await tiny.starts(), []);
    });

    await t.step("is cancelled while it trains: the job is stopped and no worker is left", async () => {
      const tiny = await kit("cancelled", "slow");
      const runner = await startRunner({ root: tiny.root, double: "slow" });
      await until("the trainer", async () => (await tiny.starts()).length === 1);
      runner.kill();
      await runner.finished;
      await cancel(tiny);
      assert.equal(await denoFs.isLocked(join(await tiny.jobDir(), "lock")), false);
      assert.deepEqual(await sent(tiny, cluster), ["1 STOPPED"]);
    });

    await t.step("tells doctor what the cluster is, and what its nodes lack", async () => {
      const { env } = (await kit("doctor")).options();
      const { signal } = new AbortController();
      const ask = (fields: object) => {
        const section = Spec.shape.engine.parse({ ...cluster.engine(), ...fields });
        return rayEngine.diagnose!(section, env, signal, []);
      };
      const found = `Ray 2.60.0 at ${cluster.address}: 2 nodes, 2 CPUs, 0 GPUs`;
      assert.deepEqual(await ask({ nodes: 2 }), { state: "ok", found });
      const lacking = await ask({ nodes: 2, num_cpus: 4 });
      assert.equal(lacking.state, "warn");
      assert.equal(lacking.found, `${found}; the workers need 2 nodes with 4 CPUs, 0 have that`);
      assert.equal((await ask({ auth_env: "NO_SUCH_VARIABLE" })).state, "missing");
    });

    await t.step("writes its token nowhere", async () => {
      const { code } = await new Deno.Command("grep", { args: ["-rq", TOKEN, root] }).output();
      assert.equal(code, 1);
    });
    await denoFs.remove(root);
  },
});

/** Drives the run in a process of its own to its end. */
async function drive(kit: DoubleKit): Promise<RunnerEnd> {
  return await (await startRunner({ root: kit.root, double: "home" })).finished;
}

/** Kills the runner after `ms`; false when it was done before. */
async function killed(kit: DoubleKit, ms: number): Promise<boolean> {
  const runner = await readyRunner();
  await runner.go({ root: kit.root, double: "home" });
  const timer = setTimeout(() => runner.kill(), ms);
  const { signal } = await runner.finished;
  clearTimeout(timer);
  return signal !== null;
}

async function cancel(kit: DoubleKit): Promise<void> {
  const { env, cancelJob } = kit.options();
  const { signal } = new AbortController();
  const state = await cancelRun({ env, dir: await runDir(kit), host: "here", cancelJob, signal });
  assert.equal(state.state, "cancelled");
}

/** What must be the same after any interruption. */
async function resultOf(kit: DoubleKit): Promise<Record<string, string>> {
  const { "4-submit/job.json": _, ...outputs } = await outputsOf(await runDir(kit));
  const anywhere = Object.entries(outputs).map(([path, text]) => [path, text.replaceAll(kit.root, "ROOT")]);
  return Object.fromEntries(anywhere);
}
