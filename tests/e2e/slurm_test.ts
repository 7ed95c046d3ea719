/** The real trainer on a real Slurm cluster. What can happen to its jobs: tests/engines/slurm/run_test.ts. */
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { SlurmCluster, WITHOUT_SLURM } from "../engines/slurm/cluster.ts";
import { runNames } from "../hermetic.ts";
import { until } from "../until.ts";
import { type Project, project, PYTHON, WITHOUT_TRAINER } from "./kit.ts";

const ignore = WITHOUT_SLURM || WITHOUT_TRAINER;
const TRAIN = { epochs: 6, dtype: "fp32", "learning_rate": 0.01, "max_length": 128, "checkpoint_seconds": 1 };

/** Milliseconds that trainers may take to start on a busy machine. */
const LONG = 240_000;

/** A job's processes belong to Slurm: not to a server that starts them faster. */
async function slurmProject(cluster: SlurmCluster, engine: object): Promise<Project> {
  const section = { kind: "slurm", "poll_seconds": 0.5, time: "30", ...engine };
  return await project({ engine: section, train: TRAIN }, { ...cluster.env, TEMPER_PYTHON: PYTHON! });
}

async function jobDir(tiny: Project): Promise<string> {
  const runs = await runNames(join(tiny.dir, "runs"));
  assert.equal(runs.length, 1);
  return join(tiny.dir, "runs", runs[0]!, "job");
}

interface Result {
  readonly "weights_sha256": string;
  readonly after: { readonly loss: number; readonly score: number };
}

async function resultOf(tiny: Project): Promise<Result> {
  return JSON.parse(await denoFs.readText(join(await jobDir(tiny), "result.json")));
}

async function finished(tiny: Project, ...more: string[]): Promise<Result> {
  const { code, stderr } = await tiny.temper("run", "tiny.yaml", ...more);
  assert.equal(code, 0, stderr);
  return await resultOf(tiny);
}

Deno.test({
  name: "run on Slurm ends in the weights of a run on this machine after kill -9 of the runner and a requeue",
  ignore,
  async fn() {
    await using cluster = await SlurmCluster.make();
    const here = await project({ train: TRAIN });
    const cache = ["--cache", join(here.dir, ".temper")];
    const expected = await finished(here);
    const tiny = await slurmProject(cluster, {});
    const plan = await tiny.temper("plan", "tiny.yaml", ...cache);
    assert.match(plan.stdout, /\n {2}#SBATCH --job-name=temper-RUN\n/);
    const runner = tiny.start("run", "tiny.yaml", ...cache);
    const output = runner.output();
    await until("a checkpoint", async () => (await newestStep(tiny)) > 0, LONG);
    runner.kill("SIGKILL");
    await output;
    await cluster.call("scontrol", "requeue", await cluster.job("RUNNING"));
    const { weights_sha256: weights } = await finished(tiny, ...cache);
    assert.equal(weights, expected.weights_sha256);
    assert.deepEqual((await cluster.jobs()).length, 1);
    const shown = await tiny.temper("show", "last");
    assert.match(shown.stdout, /slurm job 1 on n1\n/);
    assert.match(shown.stdout, /Training resumes from the checkpoint of step \d+/);
    const { engine } = JSON.parse((await tiny.temper("show", "last", "--json")).stdout);
    assert.deepEqual(engine, { ...engine, kind: "slurm", job: "1", nodes: "n1", workers: 1 });
    await Promise.all([here.remove(), tiny.remove()]);
  },
});

async function newestStep(tiny: Project): Promise<number> {
  const [run] = await runNames(join(tiny.dir, "runs"));
  if (run === undefined) return 0;
  const names = await denoFs.list(join(tiny.dir, "runs", run, "job", "checkpoints"));
  return Math.max(0, ...names.map((name) => Number(name.match(/^step-(\d+)$/)?.[1] ?? 0)));
}

Deno.test({
  name:
    "two workers on two Slurm nodes end in the losses of one, and go on together after a signal and a lost node",
  ignore,
  async fn() {
    await using cluster = await SlurmCluster.make();
    const one = await slurmProject(cluster, {});
    const cache = ["--cache", join(one.dir, ".temper")];
    const expected = await finished(one, ...cache);
    const two = await slurmProject(cluster, { nodes: 2 });
    const running = two.temper("run", "tiny.yaml", ...cache);
    await until("a checkpoint", async () => await newestStep(two) > 0, LONG);
    const id = (await cluster.jobs()).find(({ state }) => state === "RUNNING")!.id;
    await cluster.call("scancel", "--batch", "--signal=USR1", id);
    await until("the second start", async () => (await starts(two)) === 2, LONG);
    await cluster.loseNode("n2");
    await cluster.startNode("n2");
    const { code, stderr } = await running;
    assert.equal(code, 0, stderr);
    const { after } = await resultOf(two);
    assert(Math.abs(after.loss - expected.after.loss) < 1e-5, `${after.loss} and ${expected.after.loss}`);
    assert.equal(after.score, expected.after.score);
    assert(await starts(two) >= 3);
    assert.match(stderr, /Slurm job \d+ runs on n\[1-2\] with 2 workers/);
    await Promise.all([one.remove(), two.remove()]);
  },
});

/** How often Slurm has started the job. */
async function starts(tiny: Project): Promise<number> {
  const text = await denoFs.readText(join(await jobDir(tiny), "slurm", "jobs.jsonl"));
  return text.match(/"at":"started"/g)?.length ?? 0;
}
