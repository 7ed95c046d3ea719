import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFs } from "../../src/lib/fs.ts";
import { isKnown } from "../../src/log/events.ts";
import { readLog } from "../../src/log/read.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { effectsOf, type Kit, outputsOf, seededRandom, withKit } from "./kit.ts";

const DRIVER = join(import.meta.dirname!, "driver.ts");
const KILLS = 20;

/** A runner process that has loaded its code and is about to start. */
async function startRunner(kit: Kit, pace: number): Promise<Runner> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", DRIVER, kit.root, String(pace)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("ready\n")) {
    const { value, done } = await reader.read();
    assert(!done, `the runner ended early: ${text}`);
    text += value;
  }
  const finished = (async () => {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += chunk.value;
    const { code, signal } = await child.status;
    const last = text.trim().split("\n").at(-1)!;
    return { code, signal, said: last === "ready" ? undefined : JSON.parse(last) };
  })();
  return { kill: () => child.kill("SIGKILL"), finished };
}

interface Runner {
  kill(): void;
  readonly finished: Promise<{
    readonly code: number;
    readonly signal: string | null;
    readonly said?: {
      readonly id: string;
      readonly did: string;
      readonly state: string;
      readonly code: string;
    };
  }>;
}

Deno.test("a runner that is killed again and again ends in the same outputs, every effect committed once", () =>
  withKit(async (kit) => {
    const { seed, random } = seededRandom();
    try {
      await withKit(async (undisturbed) => {
        const expected = await runPipeline(undisturbed.options());
        let kills = 0;
        for (let round = 0; kills < KILLS; round++) {
          assert(round < KILLS * 4, `only ${kills} of ${round} runners could be killed`);
          const runner = await startRunner(kit, 15);
          await new Promise((resolve) => setTimeout(resolve, random() * 250));
          try {
            runner.kill();
          } catch {
            // It was faster.
          }
          const { signal, code } = await runner.finished;
          if (signal === "SIGKILL") kills++;
          else {
            assert.equal(code, 0);
            // A finished run would only be reported from here on.
            await Deno.writeTextFile(kit.data, `round ${round}\n`);
          }
        }
        await Deno.copyFile(undisturbed.data, kit.data);
        await denoFs.remove(kit.cacheDir);
        const last = await (await startRunner(kit, 0)).finished;
        assert.equal(last.code, 0);
        assert.deepEqual(await outputsOf(join(kit.runsDir, last.said!.id)), await outputsOf(expected.dir));
      });
      await assertRuns(kit);
    } catch (cause) {
      throw new Error(`TEMPER_SEED=${seed}`, { cause });
    }
  }));

/** Every log is whole, ends no step twice, and names one job; some were really cut short. */
async function assertRuns(kit: Kit): Promise<void> {
  let resumes = 0;
  for (const id of await denoFs.list(kit.runsDir)) {
    const { lines, state } = await readLog(denoFs, join(kit.runsDir, id, "events.jsonl"));
    const events = lines.flatMap(({ event }) => isKnown(event) ? [event] : []);
    const done = events.flatMap((event) => event.type === "step.done" ? [event.step] : []);
    assert.equal(new Set(done).size, done.length, `${id}: ${done}`);
    const jobs = events.flatMap((event) => event.type === "step.submitted" ? [event.job["nonce"]] : []);
    assert(new Set(jobs).size <= 1, `${id}: ${jobs}`);
    resumes += state.resumes;
  }
  assert(resumes >= KILLS / 4, `only ${resumes} of ${KILLS} kills hit a run`);
}

Deno.test("of two runners that start at once, one drives the run and the other exits 3", () =>
  withKit(async (kit) => {
    const runners = await Promise.all([startRunner(kit, 200), startRunner(kit, 200)]);
    const ends = await Promise.all(runners.map(({ finished }) => finished));
    assert.deepEqual(ends.map(({ code }) => code).sort(), [0, 3], JSON.stringify(ends));
    assert.equal(ends.find(({ code }) => code === 3)?.said?.code, "locked");
    assert.deepEqual(await effectsOf(kit), ["extract", "format", "configure", "job", "submit", "monitor"]);
    assert.equal((await denoFs.list(kit.runsDir)).length, 1);
  }));
