import assert from "../deps/assert.ts";
import { basename, join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { isKnown, type LogEvent } from "../../src/log/events.ts";
import { readLog } from "../../src/log/read_log.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { assertHistory, boundaries } from "../run/cuts.ts";
import { operationsOfARun } from "../run/faults.ts";
import { jobsOf, kitAt, outputsOf } from "../run/kit.ts";
import { type Orders, readyRunner, type Runner } from "../run/runner_process.ts";
import { Proof, SECONDS, withFolder } from "./proof.ts";
import { runNames } from "../hermetic.ts";

/** A minute makes 300. */
const KILLS = Math.ceil(SECONDS * 5);
/** How much longer a slow machine may take for them. */
const PATIENCE = 6;
/** Runners that are killed at a time, each in a project of its own. */
const LANES = 2;
/** A run of this pace takes about as long as a process may live before it is killed. */
const PACE_MS = 8;
const LONGEST_LIFE_MS = 150;

interface Expected {
  readonly outputs: Record<string, string>;
  /** Operations of an undisturbed run. */
  readonly operations: number;
}

/** The next runner loads its code while the one before it still runs. */
class Pool {
  #next = readyRunner();

  async take(): Promise<Runner> {
    const runner = await this.#next;
    this.#next = readyRunner();
    return runner;
  }

  async close(): Promise<void> {
    const runner = await this.#next;
    runner.kill();
    await runner.finished;
  }
}

/** One way to die: at a certain operation, which a seed brings back exactly, or at a certain moment. */
function death(random: () => number, root: string, { operations }: Expected) {
  if (random() < 0.5) {
    const dieAt = 1 + Math.floor(random() * operations);
    return { orders: { root, dieAt } satisfies Orders, afterMs: Infinity, words: `at operation ${dieAt}` };
  }
  const afterMs = random() * LONGEST_LIFE_MS;
  return { orders: { root, pace: PACE_MS }, afterMs, words: `after ${Math.round(afterMs)} ms` };
}

/** The committed part of the project's only log. */
async function committed(root: string): Promise<Uint8Array<ArrayBuffer>> {
  const runs = join(root, "runs");
  const logs: Uint8Array<ArrayBuffer>[] = [];
  for (const id of await runNames(runs)) {
    const path = join(runs, id, "events.jsonl");
    if (await denoFs.stat(path)) logs.push(await Deno.readFile(path));
  }
  assert(logs.length <= 1, `${logs.length} runs were started of one plan`);
  const [log = new Uint8Array()] = logs;
  return log.subarray(0, boundaries(log).at(-1));
}

/** Kills runners of one project until one gets to the end; then everything is as if none had been killed. */
async function killToTheEnd(proof: Proof, pool: Pool, root: string, expected: Expected): Promise<string[]> {
  const deaths: string[] = [];
  const random = proof.randomFor(basename(root));
  let before = new Uint8Array();
  while (true) {
    const { orders, afterMs, words } = death(random, root, expected);
    const runner = await pool.take();
    await runner.go(orders);
    const timer = afterMs === Infinity ? undefined : setTimeout(() => runner.kill(), afterMs);
    const { signal, code, said } = await runner.finished;
    clearTimeout(timer);
    const after = await committed(root);
    assert.deepEqual(after.subarray(0, before.length), before, `the log was changed, dead ${deaths}`);
    if (before.length > 0 && after.length > before.length) proof.count("resumes");
    if (signal !== "SIGKILL") {
      assert.equal(code, 0, `${JSON.stringify(said)}, dead ${deaths}`);
      await assertWhole(root, said!.id, expected, before);
      return deaths;
    }
    proof.count("kills");
    deaths.push(words);
    before = after;
  }
}

async function assertWhole(root: string, id: string, { outputs }: Expected, before: Uint8Array) {
  const kit = await kitAt(root);
  const dir = join(kit.runsDir, id);
  assert.deepEqual(await outputsOf(dir), outputs);
  await assertHistory(dir, before);
  const { lines, state } = await readLog(denoFs, join(dir, "events.jsonl"));
  assert.equal(state.state, "done");
  const events = lines.flatMap(({ event }): LogEvent[] => isKnown(event) ? [event] : []);
  const jobs = new Set(
    events.flatMap((event) => event.type === "step.submitted" ? [event.job["nonce"]] : []),
  );
  assert.equal(jobs.size, 1, "one job");
  assert.equal((await jobsOf(kit)).length, 1, "started once");
  assert.equal(await denoFs.stat(join(dir, "attempts")), undefined);
}

Deno.test("runners that are killed at any moment end in the same outputs, and nothing is done twice", () =>
  Proof.run("kill loop", (proof) =>
    withFolder(async (dir) => {
      const kit = await kitAt(join(dir, "undisturbed"));
      const outputs = await outputsOf((await runPipeline(kit.options())).dir);
      const expected = { outputs, operations: await operationsOfARun(join(dir, "counted")) };
      const end = Date.now() + SECONDS * 1000;
      const latest = Date.now() + SECONDS * 1000 * PATIENCE;
      let kills = 0;
      const lane = async (number: number) => {
        const pool = new Pool();
        for (let project = 0; (Date.now() < end || kills < KILLS) && Date.now() < latest; project++) {
          const root = join(dir, `${number}-${project}`);
          await proof.try(`lane ${number}, project ${project}`, async () => {
            kills += (await killToTheEnd(proof, pool, root, expected)).length;
          });
          await denoFs.remove(root);
        }
        await pool.close();
      };
      await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
      assert(kills >= KILLS, `only ${kills} of ${KILLS} kills within ${SECONDS * PATIENCE} s`);
    })));
