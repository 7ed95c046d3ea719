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

/** What every case is given: the cluster, and a project on it. `engine`: further fields of that section. */
interface Here {
  readonly cluster: TestCluster;
  readonly root: string;
  kit(name: string, double?: string, engine?: object): Promise<DoubleKit>;
}

/** In this order: the second compares with the first. */
const CASES: Readonly<Record<string, (here: Here) => Promise<void>>> = {
  async "trains to the end, as one job"({ cluster, kit }) {
    const tiny = await kit("undisturbed");
    const { code, said } = await drive(tiny);
    assert.equal(code, 0, JSON.stringify(said));
    assert.equal((await tiny.starts()).length, 1);
    assert.deepEqual(await sent(tiny, cluster), ["1 SUCCEEDED"]);
    // What the cluster measured is not taken for this machine's speed.
    assert.doesNotMatch(await denoFs.readText(join(tiny.root, "cache", "machine.json")), /flopsPerSecond/);
  },

  async "is one job with the same result after kill -9 of the runner again and again"(
    { cluster, root, kit },
  ) {
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
  },

  async "goes on from the checkpoint when a worker was killed, and says so"({ cluster, kit }) {
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
  },

  async "ends all workers when one of two was killed, and goes on with both"({ cluster, kit }) {
    const tiny = await kit("one of two killed", "loses-worker", { nodes: 2 });
    const { code, said } = await drive(tiny);
    assert.equal(code, 0, JSON.stringify(said));
    assert.equal((await tiny.starts()).length, 2);
    assert.deepEqual(await sent(tiny, cluster), ["1 FAILED", "2 SUCCEEDED"]);
    await assertSaid(tiny, [
      /^Ray job temper-\S+-1 runs on \S+, \S+ with 2 workers$/,
      /^The trainer of worker 1 on \S+ was killed by SIGKILL without a result: restarting it \(1 of 3\)$/,
      /^Training resumes from the checkpoint of step \d+$/,
    ]);
    const log = await denoFs.readText(join(await tiny.jobDir(), "trainer.log"));
    assert.match(log, /^\[1\] Killed by the test$/m);
  },

  async "carries the log of a worker that has left no result"({ cluster, kit }) {
    const tiny = await kit("bad", "bad");
    assert.equal((await drive(tiny)).code, 2);
    const { message } = (await stateOf(tiny))!.error!;
    assert.match(
      message,
      /^Cannot finish the training: the trainer of worker 0 on \S+ ended with exit code 2 /,
    );
    assert.match(message, /\n {4}error: unrecognized arguments$/);
    assert.deepEqual(await sent(tiny, cluster), ["1 FAILED"]);
  },

  async "reports what the trainer itself found wrong, and sends nothing again"({ cluster, kit }) {
    const tiny = await kit("fails", "fails");
    assert.equal((await drive(tiny)).code, 1);
    assert.match((await stateOf(tiny))!.error!.message, /^Cannot train: loss is NaN/);
    assert.deepEqual(await sent(tiny, cluster), ["1 FAILED"]);
  },

  async "ends with its reason when the job is stopped on the cluster"({ cluster, kit }) {
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
  },

  async "leaves the run open when the cluster refuses to say how the job is"({ kit }) {
    const tiny = await kit("refused", "slow");
    await killRunner(tiny);
    const orders = { root: tiny.root, double: "slow" };
    const second = await startRunner(orders, { TEMPER_TEST_RAY_TOKEN: "not-the-token-of-this-cluster" });
    const { code, said } = await second.finished;
    assert.deepEqual([code, said?.code], [1, "ray-refused"]);
    assert.equal((await stateOf(tiny))!.state, "interrupted");
    assert.equal((await drive(tiny)).code, 0);
    assert.equal((await tiny.starts()).length, 1);
  },

  async "follows its job although the file names another engine by now"({ cluster, kit }) {
    const tiny = await kit("moved", "slow");
    await killRunner(tiny);
    const file = join(tiny.root, "tiny.yaml");
    const { engine: _, ...rest } = JSON.parse(await denoFs.readText(file));
    await denoFs.writeAtomic(file, JSON.stringify(rest));
    assert.equal((await drive(tiny)).code, 0);
    assert.equal((await tiny.starts()).length, 1);
    assert.deepEqual(await sent(tiny, cluster), ["1 SUCCEEDED"]);
  },

  async "says what the cluster lacks while it waits, and is cancelled there"({ cluster, kit }) {
    const tiny = await kit("waiting", "home", { num_cpus: 2 });
    const runner = await startRunner({ root: tiny.root, double: "home" });
    const lacking = "not enough resources: one node with 2 CPU needed, 0 of the cluster's 2 have that";
    await until("the reason", async () => (await stateOf(tiny))?.engine?.["reason"] === lacking);
    runner.kill();
    await runner.finished;
    await cancel(tiny);
    assert.deepEqual(await sent(tiny, cluster), ["1 STOPPED"]);
    assert.deepEqual(await tiny.starts(), []);
  },

  async "is cancelled while it trains: the job is stopped and no worker is left"({ cluster, kit }) {
    const tiny = await kit("cancelled", "slow");
    await killRunner(tiny);
    await cancel(tiny);
    assert.equal(await denoFs.isLocked(join(await tiny.jobDir(), "lock")), false);
    assert.deepEqual(await sent(tiny, cluster), ["1 STOPPED"]);
  },

  async "tells doctor what the cluster is, and what its nodes lack"({ cluster, kit }) {
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
  },

  async "writes its token nowhere"({ root }) {
    const { code } = await new Deno.Command("grep", { args: ["-rq", TOKEN, root] }).output();
    assert.equal(code, 1);
  },
};

Deno.test({
  name: "the Ray engine",
  ignore: WITHOUT_RAY,
  async fn(t) {
    await using cluster = await TestCluster.start(2);
    const root = await Deno.makeTempDir();
    const here: Here = {
      cluster,
      root,
      kit: (name, double = "home", engine = {}) => rayDouble(join(root, name), double, cluster, engine),
    };
    for (const [name, run] of Object.entries(CASES)) await t.step(name, () => run(here));
    await denoFs.remove(root);
  },
});

/** Drives the run in a process of its own to its end. */
async function drive(kit: DoubleKit): Promise<RunnerEnd> {
  return await (await startRunner({ root: kit.root, double: "home" })).finished;
}

/** Kills a runner whose trainer is at work, and leaves that. */
async function killRunner(kit: DoubleKit): Promise<void> {
  const runner = await startRunner({ root: kit.root, double: "slow" });
  await until("the trainer", async () => (await kit.starts()).length === 1);
  runner.kill();
  await runner.finished;
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
