import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { seededRandom } from "../run/kit.ts";
import { until } from "../until.ts";
import { type Project, project, PYTHON, WITHOUT_TRAINER } from "./kit.ts";
import { runNames } from "../hermetic.ts";

const KILLS = 6;

async function onlyRun(tiny: Project): Promise<string> {
  const runs = await runNames(join(tiny.dir, "runs"));
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
  const [run] = await runNames(join(tiny.dir, "runs"));
  if (run === undefined) return undefined;
  const lock = join(tiny.dir, "runs", run, "job", "lock");
  if (!await denoFs.isLocked(lock)) return undefined;
  const pid = parseInt(await denoFs.readText(lock), 10);
  return Number.isInteger(pid) ? pid : undefined;
}

/** False when the process had ended already: a run may be done before its time to be killed has come. */
function killed(kill: () => void): boolean {
  try {
    kill();
    return true;
  } catch (error) {
    if (error instanceof TypeError || error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The result of a run that nothing disturbs, and how long that takes, in milliseconds. */
async function undisturbed(): Promise<{ expected: Record<string, unknown>; took: number }> {
  const tiny = await project();
  const started = performance.now();
  const { code, stderr } = await tiny.temper("run", "tiny.yaml");
  const took = performance.now() - started;
  assert.equal(code, 0, stderr);
  const expected = await result(tiny);
  await tiny.remove();
  return { expected, took };
}

/** Starts the run and kills it within `longest` ms, or both it and its trainer; false when it was done before that. */
async function startAndKill(
  tiny: Project,
  { random, longest, both }: { random: () => number; longest: number; both: boolean },
): Promise<boolean> {
  const runner = tiny.start("run", "tiny.yaml");
  let ended = false;
  const output = runner.output().finally(() => ended = true);
  if (both) await until("the trainer or the end", async () => ended || await trainer(tiny));
  await new Promise((resolve) => setTimeout(resolve, random() * longest / (both ? 2 : 1)));
  const pid = both ? await trainer(tiny) : undefined;
  if (pid !== undefined) killed(() => Deno.kill(pid, "SIGKILL"));
  const early = killed(() => runner.kill("SIGKILL"));
  await output;
  return early;
}

Deno.test({
  name: "run ends in the same result after kill -9 of the runner and of the trainer at random moments",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const { seed, random } = seededRandom();
    const { expected, took: longest } = await undisturbed();
    let tiny = await project();
    const finish = async () => {
      const { code, stderr } = await tiny.temper("run", "tiny.yaml");
      assert.equal(code, 0, stderr);
      assert.deepEqual(await result(tiny), expected);
      await tiny.remove();
    };
    try {
      for (let kills = 0; kills < KILLS;) {
        if (await startAndKill(tiny, { random, longest, both: kills % 2 === 1 })) kills++;
        else {
          await finish();
          tiny = await project();
        }
      }
      await finish();
    } catch (error) {
      throw new Error(`TEMPER_SEED=${seed} repeats this`, { cause: error });
    }
  },
});

/** A Python that writes down the number of each process that prepares: it is the same once the shell is Python. */
async function tellingPython(dir: string): Promise<{ python: string; prepares: () => number[] }> {
  const [python, told] = [join(dir, "python"), join(dir, "prepares")];
  const tell = `case " $* " in *" temper_trainer prepare "*) echo $$ >> "${told}";; esac`;
  await Deno.writeTextFile(python, `#!/bin/sh\n${tell}\nexec "${PYTHON}" "$@"\n`, { mode: 0o755 });
  await Deno.writeTextFile(told, "");
  return {
    python,
    prepares: () => Deno.readTextFileSync(told).split("\n").filter((line) => line !== "").map(Number),
  };
}

Deno.test({
  name: "run ends in the same result after kill -9 of prepare, and of the runner while prepare is at work",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const { seed, random } = seededRandom();
    const { expected } = await undisturbed();
    const dir = await Deno.makeTempDir();
    const { python, prepares } = await tellingPython(dir);
    const tiny = await project({}, { TEMPER_PYTHON: python });
    const moment = (longest: number) => new Promise((resolve) => setTimeout(resolve, random() * longest));
    const start = () => {
      const process = tiny.start("run", "tiny.yaml");
      const state = { ended: false };
      return { process, state, output: process.output().finally(() => state.ended = true) };
    };
    try {
      const first = start();
      await until("prepare", () => prepares().length === 1);
      await moment(300);
      killed(() => first.process.kill("SIGKILL"));
      await first.output;
      const second = start();
      // The first two cannot be done by then; after one that was, no other comes.
      for (const [n, longest] of [[1, 300], [2, 1500], [3, 3000]] as const) {
        await until("the next prepare or the end", () => second.state.ended || prepares().length > n);
        await moment(longest);
        if (prepares()[n] !== undefined) killed(() => Deno.kill(prepares()[n]!, "SIGKILL"));
      }
      const { code, stderr } = await second.output;
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      assert(prepares().length >= 3, `${prepares().length} times`);
      assert.deepEqual(await result(tiny), expected);
      await Promise.all([tiny.remove(), denoFs.remove(dir)]);
    } catch (error) {
      throw new Error(`TEMPER_SEED=${seed} repeats this`, { cause: error });
    }
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
