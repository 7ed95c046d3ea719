import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { processExists } from "../../src/lib/process.ts";
import { runNames } from "../hermetic.ts";
import { until } from "../until.ts";
import { type Project, project, PYTHON, WITHOUT_TRAINER } from "./kit.ts";

const TRAIN = { "learning_rate": 0.01, "max_length": 128, "checkpoint_seconds": 1, dtype: "fp32" };
const TWO = { engine: { kind: "local", workers_per_node: 2 } };

/** Milliseconds: two workers import PyTorch at once. */
const PATIENCE = 300_000;
const withoutProcesses = WITHOUT_TRAINER || Deno.build.os !== "linux";

/** torchrun needs the Python itself: the one that starts faster runs nothing but the trainer. */
function workers(epochs: number, sections: Record<string, unknown> = TWO): Promise<Project> {
  return project({ train: { ...TRAIN, epochs }, ...sections }, { TEMPER_PYTHON: PYTHON! });
}

async function jobOf(tiny: Project): Promise<string | undefined> {
  const [run] = await runNames(join(tiny.dir, "runs"));
  return run === undefined ? undefined : join(tiny.dir, "runs", run, "job");
}

/** Events of the training so far; a line may be half written. */
async function events(tiny: Project): Promise<{ type: string; step: number; loss: number }[]> {
  const job = await jobOf(tiny);
  const path = join(job ?? tiny.dir, "metrics.jsonl");
  if (!await denoFs.stat(path)) return [];
  return (await denoFs.readText(path)).split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** The process that started the workers: the parent of the one that holds the lock. */
async function launcher(tiny: Project): Promise<number> {
  const holder = parseInt(await denoFs.readText(join((await jobOf(tiny))!, "lock")), 10);
  const status = await denoFs.readText(`/proc/${holder}/status`);
  return Number(/^PPid:\s*(\d+)/m.exec(status)![1]);
}

async function workersOf(pid: number): Promise<number[]> {
  return (await denoFs.readText(`/proc/${pid}/task/${pid}/children`)).split(" ").filter(Boolean).map(Number);
}

Deno.test({
  name:
    "engine.workers_per_node starts workers that survive the runner, end with torchrun and train as one does",
  ignore: withoutProcesses,
  async fn() {
    const [one, two] = [await workers(3, {}), await workers(3)];
    assert.equal((await one.temper("run", "tiny.yaml")).code, 0);
    const runner = two.start("run", "tiny.yaml");
    const output = runner.output();
    await until("a step", async () => (await events(two)).some(({ type }) => type === "train"), PATIENCE);
    const torchrun = await launcher(two);
    const started = await workersOf(torchrun);
    assert.equal(started.length, 2);
    runner.kill("SIGKILL");
    await output;
    assert.ok(started.every(processExists));
    Deno.kill(torchrun, "SIGKILL");
    await until("the end of the workers", () => !started.some(processExists));
    const { code, stderr } = await two.temper("run", "tiny.yaml");
    assert.equal(code, 0, stderr);

    const losses = async (tiny: Project) =>
      new Map(
        (await events(tiny)).filter(({ type }) => type === "train").map(({ step, loss }) => [step, loss]),
      );
    const [expected, found] = [await losses(one), await losses(two)];
    assert.deepEqual([...found.keys()], [...expected.keys()]);
    for (const [step, loss] of expected) assert.ok(Math.abs(found.get(step)! - loss) < 1e-5, `step ${step}`);
    const result = JSON.parse(await denoFs.readText(join((await jobOf(two))!, "result.json")));
    assert.deepEqual(
      [result.environment.workers, result.environment.parallel, result.resources.workers.length],
      [2, "ddp", 2],
    );
    await Promise.all([one.remove(), two.remove()]);
  },
});

Deno.test({
  name: "cancel ends all workers, and a job that cannot be used exits with 2",
  ignore: withoutProcesses,
  async fn() {
    const tiny = await workers(500);
    const output = tiny.start("run", "tiny.yaml").output();
    await until("a step", async () => (await events(tiny)).some(({ type }) => type === "train"), PATIENCE);
    const torchrun = await launcher(tiny);
    const started = await workersOf(torchrun);
    const [run] = await runNames(join(tiny.dir, "runs"));
    assert.equal((await tiny.temper("cancel", run!)).code, 0);
    assert.deepEqual([torchrun, ...started].filter(processExists), []);
    await output;
    assert.ok((await events(tiny)).some(({ type }) => type === "checkpoint"));
    await tiny.remove();

    const refused = await workers(1, { ...TWO, method: { kind: "lora", rank: 512, alpha: 8 } });
    const { code, stderr } = await refused.temper("run", "tiny.yaml");
    assert.match(stderr, /Cannot use method.rank 512/);
    assert.equal(code, 2);
    await refused.remove();
  },
});
