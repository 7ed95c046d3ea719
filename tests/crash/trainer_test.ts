import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readRun } from "../../src/log/read_run.ts";
import { cancelRun } from "../../src/run/cancel.ts";
import { until } from "../until.ts";
import { doubleAt, type DoubleKit } from "../run/double.ts";
import { outputsOf } from "../run/kit.ts";
import { readyRunner, startRunner } from "../run/runner_process.ts";
import { Proof, SECONDS, withFolder } from "./proof.ts";

/** What must be the same after any interruption: all but the process number, the time of the start and the place. */
async function resultOf(kit: DoubleKit): Promise<Record<string, string>> {
  const { "4-submit/job.json": _, ...outputs } = await outputsOf(join(await kit.jobDir(), ".."));
  const anywhere = Object.entries(outputs).map(([path, text]) => [path, text.replaceAll(kit.root, "ROOT")]);
  return Object.fromEntries(anywhere);
}

async function undisturbed(dir: string, name: string): Promise<Record<string, string>> {
  const kit = await doubleAt(await folder(dir, "undisturbed"), name);
  await (await startRunner({ root: kit.root, double: name })).finished;
  return await resultOf(kit);
}

async function stepsDone(kit: DoubleKit): Promise<number> {
  return (await denoFs.list(join(await kit.jobDir(), "checkpoints"))).length;
}

async function isTraining(kit: DoubleKit): Promise<boolean> {
  return await denoFs.isLocked(join(await kit.jobDir(), "lock"));
}

/** A run whose runner was killed while its trainer is at work. */
async function orphan(proof: Proof, root: string, name: string): Promise<DoubleKit> {
  await Deno.mkdir(root, { recursive: true });
  const kit = await doubleAt(root, name);
  const runner = await startRunner({ root, double: name });
  await until("three training steps", async () => await stepsDone(kit) >= 3);
  runner.kill();
  assert.equal((await runner.finished).signal, "SIGKILL");
  proof.count("kills");
  return kit;
}

async function resume(proof: Proof, kit: DoubleKit, name: string): Promise<void> {
  const { code, said } = await (await startRunner({ root: kit.root, double: name })).finished;
  assert.equal(code, 0, JSON.stringify(said));
  assert.equal(said?.did, "resumed");
  proof.count("resumes");
}

async function messages(kit: DoubleKit): Promise<readonly string[]> {
  const state = await readRun(denoFs, join(await kit.jobDir(), ".."));
  return state?.steps.flatMap((step) => step.messages) ?? [];
}

interface Case {
  /** What happened to the trainer before the run is resumed. */
  readonly befalls: (kit: DoubleKit, pid: number) => Promise<unknown> | void;
  /** How many trainers got to work in the end. */
  readonly starts: number;
}

const CASES: Readonly<Record<string, Case>> = {
  "is alive: it is followed, neither killed nor started again": { befalls: () => {}, starts: 1 },
  "is dead: it goes on from its checkpoint": {
    async befalls(kit, pid) {
      Deno.kill(pid, "SIGKILL");
      await until("the end of the training", async () => !await isTraining(kit));
    },
    starts: 2,
  },
  "has finished: its result is taken": {
    befalls: (kit) => until("the end of the training", async () => !await isTraining(kit)),
    starts: 1,
  },
};

Deno.test("a run is resumed with its trainer as it finds it: at work, dead or finished", () =>
  Proof.run("trainer at resume", (proof) =>
    withFolder(async (dir) => {
      const expected = await undisturbed(dir, "slow");
      for (const [words, { befalls, starts }] of Object.entries(CASES)) {
        await proof.try(`the trainer ${words}`, async () => {
          const kit = await orphan(proof, join(dir, words.split(":")[0]!), "slow");
          const [pid] = await kit.starts();
          await befalls(kit, pid!);
          await resume(proof, kit, "slow");
          assert.equal((await kit.starts()).length, starts);
          assert.deepEqual(await resultOf(kit), expected);
        });
      }
    })));

Deno.test("a run whose trainer hangs is followed with a warning, and goes on when the trainer does", () =>
  Proof.run("trainer hangs", (proof) =>
    withFolder((root) =>
      proof.try("SIGSTOP", async () => {
        const kit = await orphan(proof, join(root, "hung"), "slow");
        const [pid] = await kit.starts();
        Deno.kill(pid!, "SIGSTOP");
        const resumed = resume(proof, kit, "slow");
        await until(
          "a warning",
          async () =>
            (await messages(kit)).some((said) => said.startsWith("The trainer has been silent for ")),
        );
        Deno.kill(pid!, "SIGCONT");
        await resumed;
        assert.deepEqual(await kit.starts(), [pid]);
      })
    )));

Deno.test("a run whose trainer hangs can be cancelled, and then no trainer is left", () =>
  Proof.run("trainer hangs, cancelled", (proof) =>
    withFolder((root) =>
      proof.try("SIGSTOP", async () => {
        const kit = await orphan(proof, join(root, "hung"), "slow");
        const [pid] = await kit.starts();
        Deno.kill(pid!, "SIGSTOP");
        // It is given less than the twenty seconds a person would wait.
        const clock = { ...systemClock, monotonic: () => performance.now() * 20 };
        const { env, cancelJob } = (await doubleAt(kit.root, "slow", { clock })).options();
        const { signal } = new AbortController();
        const dir = join(await kit.jobDir(), "..");
        const state = await cancelRun({ env, dir, host: "here", cancelJob, signal });
        assert.equal(state.state, "cancelled");
        assert.equal(await isTraining(kit), false);
      })
    )));

Deno.test("runners and trainers that are killed again and again end in the same result, one trainer at a time", () =>
  Proof.run("runner and trainer killed", (proof) =>
    withFolder(async (dir) => {
      const expected = await undisturbed(dir, "home");
      const end = Date.now() + SECONDS * 1000 / 3;
      for (let round = 0; Date.now() < end || round === 0; round++) {
        await proof.try(`project ${round}`, async () => {
          const random = proof.randomFor(String(round));
          const kit = await doubleAt(await folder(dir, String(round)), "home");
          const trainersKilled = await killBoth(proof, kit, random);
          const started = (await kit.starts()).length;
          assert(
            started >= 1 && started <= 1 + trainersKilled,
            `${started} starts, ${trainersKilled} killed`,
          );
          assert.deepEqual(await resultOf(kit), expected);
        });
      }
    })));

/** Kills the runner, and now and then the trainer, until a runner gets to the end. Returns how many trainers died. */
async function killBoth(proof: Proof, kit: DoubleKit, random: () => number): Promise<number> {
  let trainers = 0;
  for (let lives = 0; true; lives++) {
    const runner = await readyRunner();
    await runner.go({ root: kit.root, double: "home" });
    // The first ones never get far; the last ones get through.
    const timer = setTimeout(() => runner.kill(), 100 + random() * 250 * (lives + 1));
    const { signal, code, said } = await runner.finished;
    clearTimeout(timer);
    if (signal !== "SIGKILL") {
      assert.equal(code, 0, JSON.stringify(said));
      return trainers;
    }
    proof.count("kills");
    const [pid] = (await kit.starts()).slice(-1);
    if (pid === undefined || random() < 0.5 || !await isTraining(kit)) continue;
    try {
      Deno.kill(pid, "SIGKILL");
      proof.count("kills");
      trainers++;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function folder(dir: string, name: string): Promise<string> {
  const made = join(dir, name);
  await Deno.mkdir(made, { recursive: true });
  return made;
}
