/** Runs on a real Slurm cluster; only the trainer learns nothing. tests/e2e/slurm_test.ts has the real one. */
import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import type { TemperError } from "../../../src/lib/errors.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { JsonObject } from "../../../src/lib/json/json.ts";
import type { LogEvent } from "../../../src/log/events.ts";
import { cancelRun } from "../../../src/run/cancel.ts";
import { type RunOutcome, runPipeline } from "../../../src/run/run_pipeline.ts";
import { doubleAt, type DoubleKit } from "../../run/double.ts";
import { outputsOf, seededRandom } from "../../run/kit.ts";
import { startRunner } from "../../run/runner_process.ts";
import { runNames } from "../../hermetic.ts";
import { until } from "../../until.ts";
import { SlurmCluster, WITHOUT_SLURM } from "./cluster.ts";

/** Kills of the runner; the long proof takes 100. */
const KILLS = Number(Deno.env.get("TEMPER_SLURM_KILLS") ?? 6);

interface Here {
  readonly cluster: SlurmCluster;
  readonly kit: DoubleKit;
  /** Runs it here, to its end. */
  run(): Promise<RunOutcome>;
  /** What was said so far. */
  messages(): string[];
  /** What the engine said last. */
  status(): JsonObject | undefined;
}

function test(name: string, double: string, engine: object, use: (here: Here) => Promise<void>): void {
  Deno.test({
    name,
    ignore: WITHOUT_SLURM,
    async fn() {
      const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "temper slurm " }));
      try {
        await using cluster = await SlurmCluster.make();
        await Deno.writeTextFile(join(root, "no-requeue.sh"), "#SBATCH --no-requeue\n");
        const section = { kind: "slurm", "poll_seconds": 0.3, ...engine };
        const kit = await doubleAt(root, double, { env: cluster.env, engine: section });
        const events: LogEvent[] = [];
        const said = () => events.flatMap((event) => event.type === "step.progress" ? event : []);
        await use({
          cluster,
          kit,
          run: () => runPipeline(kit.options({ onEvent: (event) => void events.push(event) })),
          messages: () => said().flatMap(({ message }) => message ?? []),
          status: () => said().findLast(({ engine }) => engine !== undefined)?.engine,
        });
      } finally {
        await denoFs.remove(root);
      }
    },
  });
}

async function steps(kit: DoubleKit): Promise<number> {
  return (await denoFs.list(join(await kit.jobDir(), "checkpoints"))).length;
}

function failure({ state, error }: RunOutcome): TemperError {
  assert.equal(state.state, "failed");
  return error!;
}

test("run sends one job and follows it to its result", "home", { nodes: 1, time: "10" }, async (here) => {
  const { state, error } = await here.run();
  assert.equal(state.state, "done", error?.message);
  assert.deepEqual(state.job, { ...state.job, provider: "local", engine: "slurm", id: "1" });
  assert.deepEqual(here.status(), { ...here.status(), kind: "slurm", job: "1", nodes: "n1", workers: 1 });
  assert.deepEqual(state.engine, here.status());
  assert((await here.kit.starts()).length === 1);
  assert.equal((await here.cluster.jobs()).length, 1);
  const shown = await here.cluster.call("scontrol", "show", "job", "1");
  assert.match(shown, new RegExp(`JobName=temper-${state.id}\\s`));
  assert.match(shown, new RegExp(`Comment=temper:${state.id}\\s`));
  assert.match(shown, /TimeLimit=00:10:00/);
});

test(
  "kill -9 of the runner at random moments leaves one job and the same result",
  "slow",
  {},
  async (here) => {
    const { cluster, kit: { root } } = here;
    const { seed, random } = seededRandom();
    const undisturbed = await here.run();
    const expected = await resultOf(undisturbed.dir, root);
    const took = 4_000;
    let [kills, jobs] = [0, 1];
    try {
      while (kills < KILLS) {
        await denoFs.remove(join(root, "runs"));
        jobs++;
        for (let done = false; !done;) {
          const runner = await startRunner({ root, double: "slow" }, cluster.env);
          const timer = setTimeout(() => runner.kill(), kills < KILLS ? random() * took : 60_000);
          const { code, signal } = await runner.finished;
          clearTimeout(timer);
          if (signal === "SIGKILL") kills++;
          else assert.equal(code, 0);
          done = signal !== "SIGKILL";
        }
        assert.equal((await cluster.jobs()).length, jobs);
        const [run, ...others] = await runNames(join(root, "runs"));
        assert.deepEqual(others, []);
        assert.deepEqual(await resultOf(join(root, "runs", run!), root), expected);
      }
    } catch (error) {
      throw new Error(`TEMPER_SEED=${seed} repeats this`, { cause: error });
    }
  },
);

/** What must be the same after any interruption. */
async function resultOf(dir: string, root: string): Promise<Record<string, string>> {
  const { "4-submit/job.json": _, ...outputs } = await outputsOf(dir);
  return Object.fromEntries(
    Object.entries(outputs).map(([path, text]) => [path, text.replaceAll(root, "ROOT")]),
  );
}

test("a job goes on after it was requeued, signalled and its node lost", "slower", {}, async (here) => {
  const { cluster, kit } = here;
  const running = here.run();
  await until("steps", async () => await steps(kit) >= 3);
  const id = await cluster.job("RUNNING");
  await cluster.call("scontrol", "requeue", id);
  await until("the second start", async () => (await kit.starts()).length === 2);
  await until("more steps", async () => await steps(kit) >= 7);
  await cluster.call("scancel", "--batch", "--signal=USR1", id);
  await until("the third start", async () => (await kit.starts()).length === 3);
  await until("more steps", async () => await steps(kit) >= 10);
  await cluster.loseNode("n1");
  await until("the fourth start", async () => (await kit.starts()).length === 4);
  const { state, error } = await running;
  assert.equal(state.state, "done", error?.message);
  assert.deepEqual((await cluster.jobs()).map((job) => job.id), [id]);
  assert.equal(
    here.messages().filter((message) => message.startsWith("Training resumes")).length,
    3,
    here.messages().join("\n"),
  );
  const told = here.messages().filter((message) => /is queued again/.test(message));
  assert.match(told.join("\n"), /is queued again, close to its time limit or asked to make room/);
  assert.match(here.messages().join("\n"), /Slurm job \d+ runs on n2/);
});

test(
  "a full queue is told, and scancel from outside ends the run with what to do",
  "home",
  {},
  async (here) => {
    const { cluster } = here;
    for (const node of ["n1", "n2"]) {
      await cluster.call(
        "sbatch",
        "--parsable",
        `--nodelist=${node}`,
        "--output=/dev/null",
        "--wrap",
        "sleep 600",
      );
    }
    const running = here.run();
    await until("a place in the queue", () => here.status()?.["place"] !== undefined);
    assert.deepEqual(here.status(), { ...here.status(), job: "3", state: "PENDING", place: [1, 1] });
    await until("the reason", () => here.status()?.["reason"] !== undefined);
    assert.match(
      here.messages().join("\n"),
      /Slurm job 3 is queued: (Resources|Priority), place 1 of 1 in partition all/,
    );
    await cluster.call("scancel", "3");
    const error = failure(await running);
    assert.equal(error.code, "job-cancelled");
    assert.match(error.message, /^Cannot finish the training: Slurm job 3 was cancelled outside temper/);
    assert.match(error.hint!, /^Run the same command again/);
  },
);

test("the same command goes on where scancel has ended a training", "slow", {}, async (here) => {
  const { cluster, kit } = here;
  const running = here.run();
  await until("steps", async () => await steps(kit) >= 5);
  await cluster.call("scancel", await cluster.job("RUNNING"));
  assert.equal(failure(await running).code, "job-cancelled");
  const { state } = await here.run();
  assert.equal(state.state, "done");
  assert(here.messages().some((message) => /^Resuming from step \d+ of run/.test(message)));
});

test(
  "a wrong partition is refused in sbatch's words, and leaves no job",
  "home",
  { partition: "gpu" },
  async (here) => {
    const outcome = await here.run();
    const error = failure(outcome);
    assert.equal(outcome.exitCode, 2);
    assert.match(error.message, /^Cannot send the job: .*invalid partition specified: gpu/);
    assert.equal(error.hint, "Partitions of this cluster: all");
    assert.deepEqual(await here.cluster.jobs(), []);
  },
);

test("a controller that is away delays a run, and loses nothing", "slower", {}, async (here) => {
  const { cluster, kit } = here;
  await cluster.stopController();
  const running = here.run();
  await until(
    "the first message",
    () => here.messages().some((message) => /trying again for two minutes/.test(message)),
  );
  await cluster.startController();
  await until("steps", async () => await steps(kit) >= 2);
  await cluster.stopController();
  await until(
    "the second message",
    () => here.messages().some((message) => /asking again until it answers/.test(message)),
  );
  await cluster.startController();
  const { state, error } = await running;
  assert.equal(state.state, "done", error?.message);
  assert.equal(
    here.messages().filter((message) => /Unable to contact/i.test(message)).length,
    2,
    "each once",
  );
  assert.equal((await cluster.jobs()).length, 1);
  assert.equal((await kit.starts()).length, 1);
});

test("a worker that is killed is reported with the end of its log", "crashes", {}, async (here) => {
  const error = failure(await here.run());
  assert.match(
    error.message,
    /^Cannot finish the training: worker 0 of Slurm job 1 was killed by SIGKILL without a result/,
  );
  assert.match(error.message, /Killed by the test/);
  assert.match(error.hint!, /memory/);
  assert.equal((await here.kit.starts()).length, 1);
});

test("what the trainer says when it fails is the run's error", "fails", {}, async (here) => {
  const error = failure(await here.run());
  assert.deepEqual([error.code, error.message], [
    "non-finite",
    "Cannot train: loss is NaN\n    home.jsonl:7",
  ]);
});

test(
  "a job that is stopped before it has saved anything ends the run instead of repeating it",
  "stuck",
  {},
  async (here) => {
    const running = here.run();
    await until("the start", async () => (await here.kit.starts()).length === 1);
    await here.cluster.call("scancel", "--batch", "--signal=USR1", await here.cluster.job("RUNNING"));
    const error = failure(await running);
    assert.equal(error.code, "slurm-time-limit");
    assert.match(error.message, /was stopped close to its time limit, before it could save any progress/);
    assert.equal(error.hint, "Raise engine.time");
  },
);

test(
  "a cluster that does not requeue leaves a checkpoint to go on from",
  "slow",
  { header: "no-requeue.sh" },
  async (here) => {
    const running = here.run();
    await until("steps", async () => await steps(here.kit) >= 3);
    await here.cluster.call("scancel", "--batch", "--signal=USR1", await here.cluster.job("RUNNING"));
    const error = failure(await running);
    assert.match(error.message, /and the cluster does not requeue it/);
    assert.equal((await here.run()).state.state, "done");
    assert(here.messages().some((message) => /^Resuming from step \d+ of run/.test(message)));
  },
);

test("cancel ends the job, whether it is known or was only about to be sent", "slow", {}, async (here) => {
  const { cluster, kit } = here;
  const runner = await startRunner({ root: kit.root, double: "slow" }, cluster.env);
  await until("a job", async () => (await cluster.jobs()).length === 1);
  runner.kill();
  await runner.finished;
  const { env, cancelJob } = kit.options();
  const [run] = await runNames(kit.runsDir);
  const { signal } = new AbortController();
  const state = await cancelRun({ env, dir: join(kit.runsDir, run!), host: "here", cancelJob, signal });
  assert.equal(state.state, "cancelled");
  assert.match((await cluster.jobs())[0]!.state, /CANCELLED/);
});

test("a sender that outlives its runner and comes too late sends nothing", "home", {}, async (here) => {
  const { cluster, kit: { root } } = here;
  // Before sbatch is even started, as on a machine that has too much to do.
  const late = join(root, "late");
  await Deno.mkdir(late);
  const flock =
    `#!/bin/sh\necho $$ >"${late}/begun"\nsleep 6\n/usr/bin/flock "$@"\necho $? >"${late}/ended"\n`;
  await Deno.writeTextFile(join(late, "flock"), flock, { mode: 0o755 });
  const PATH = `${late}:${Deno.env.get("PATH")}`;
  const runner = await startRunner({ root, double: "home" }, { ...cluster.env, PATH });
  await until("the sender", async () => await denoFs.stat(join(late, "begun")) !== undefined);
  runner.kill();
  await runner.finished;
  const { state, error } = await here.run();
  assert.equal(state.state, "done", error?.message);
  await until("the late sender's end", async () => await denoFs.stat(join(late, "ended")) !== undefined);
  assert.equal((await cluster.jobs()).length, 1);
});
