import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFs } from "../../src/lib/fs.ts";
import { seededRandom } from "../run/kit.ts";
import { until } from "../until.ts";
import { type Project, project, WITHOUT_TRAINER } from "./kit.ts";

async function onlyRun(tiny: Project): Promise<string> {
  const runs = await denoFs.list(join(tiny.dir, "runs"));
  assert.equal(runs.length, 1, `one run, not ${runs.join(", ")}`);
  return join(tiny.dir, "runs", runs[0]!);
}

/** result.json without what may differ: times and memory. */
async function result(tiny: Project): Promise<Record<string, unknown>> {
  const { timing: _t, resources: _r, ...same } = JSON.parse(
    await denoFs.readText(join(await onlyRun(tiny), "job", "result.json")),
  );
  return same;
}

/** Pid of the live trainer, from the lock it holds; `undefined` when none runs. */
async function trainer(tiny: Project): Promise<number | undefined> {
  const [run] = await denoFs.list(join(tiny.dir, "runs"));
  if (run === undefined) return undefined;
  const lock = join(tiny.dir, "runs", run, "job", "lock");
  if (!await denoFs.isLocked(lock)) return undefined;
  const pid = parseInt(await denoFs.readText(lock), 10);
  return Number.isInteger(pid) ? pid : undefined;
}

/** False when it had ended already: a run may be done before its time to be killed has come. */
function kill(runner: Deno.ChildProcess): boolean {
  try {
    runner.kill("SIGKILL");
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

async function undisturbed(): Promise<Record<string, unknown>> {
  const tiny = await project();
  const { code, stderr } = await tiny.temper("run", "tiny.yaml");
  assert.equal(code, 0, stderr);
  const expected = await result(tiny);
  await tiny.remove();
  return expected;
}

Deno.test({
  name: "run ends in the same result after kill -9 of the runner and of the trainer at random moments",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const { seed, random } = seededRandom();
    const expected = await undisturbed();
    const tiny = await project();
    let kills = 0;
    try {
      for (let i = 0; i < 3; i++) {
        const runner = tiny.start("run", "tiny.yaml");
        const output = runner.output();
        await new Promise((resolve) => setTimeout(resolve, 500 + random() * 8000));
        if (kill(runner)) kills++;
        await output;
      }
      for (let i = 0; i < 3; i++) {
        const runner = tiny.start("run", "tiny.yaml");
        const output = runner.output();
        const ended = output.then(() => "ended" as const);
        const pid = await Promise.race([ended, until("the trainer", () => trainer(tiny))]);
        if (pid === "ended") break;
        await new Promise((resolve) => setTimeout(resolve, random() * 6000));
        if (await trainer(tiny) === pid) Deno.kill(pid, "SIGKILL");
        if (kill(runner)) kills++;
        await output;
      }
      assert.ok(kills > 0, "every run was done before it could be killed");
      const { code, stderr } = await tiny.temper("run", "tiny.yaml");
      assert.equal(code, 0, stderr);
      assert.deepEqual(await result(tiny), expected);
    } catch (error) {
      throw new Error(`TEMPER_SEED=${seed} repeats this`, { cause: error });
    }
    await tiny.remove();
  },
});

Deno.test({
  name: "run refuses a run that another process drives, and cancel stops it",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const tiny = await project();
    const spec = JSON.parse(await denoFs.readText(tiny.file));
    spec.train.epochs = 200;
    await denoFs.writeAtomic(tiny.file, JSON.stringify(spec));
    const first = tiny.start("run", "tiny.yaml");
    const output = first.output();
    const pid = await until("the trainer", () => trainer(tiny));
    const second = await tiny.temper("run", "tiny.yaml");
    assert.equal(second.code, 3, second.stderr);
    const cancelled = await tiny.temper("cancel", "last");
    assert.equal(cancelled.code, 0, cancelled.stderr);
    await output;
    assert.equal(await trainer(tiny), undefined, `trainer ${pid} still runs`);
    assert.equal(JSON.parse((await tiny.temper("show", "last", "--json")).stdout).state, "cancelled");
    await tiny.remove();
  },
});
