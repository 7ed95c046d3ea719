import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { filesBelow } from "../../src/lib/files/folder.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { LogEvent } from "../../src/log/events.ts";
import { readLog } from "../../src/log/read_log.ts";
import { buildJobFolder, completeJobFolder } from "../../src/providers/trainer/job/job_folder.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { assertHistory } from "../run/cuts.ts";
import { effectsOf, jobsOf, kitAt, outputsOf } from "../run/kit.ts";
import { PowerLossFs } from "./power_loss_fs.ts";
import { Proof, withFolder } from "./proof.ts";
import { runNames } from "../hermetic.ts";

interface Stop {
  /** Everything the runner said was durable. */
  readonly promised: readonly LogEvent[];
  readonly loss: PowerLossFs;
}

async function stopAt(root: string, at: number): Promise<Stop> {
  const tree = join(root, "tree");
  const graveyard = join(root, "graveyard");
  for (const dir of [tree, graveyard]) await Deno.mkdir(dir, { recursive: true });
  const loss = new PowerLossFs(tree, graveyard, at);
  const kit = await kitAt(tree, { fs: loss.fs });
  const promised: LogEvent[] = [];
  const onEvent = (event: LogEvent) => {
    if (event.type !== "step.progress" && !loss.stopped) promised.push(event);
  };
  await runPipeline(kit.options({ onEvent })).catch(() => {});
  return { promised, loss };
}

/** After the machine has started again: what was promised is there, and the same command ends well. */
async function recovers({ promised }: Stop, root: string, expected: Record<string, string>): Promise<void> {
  const kit = await kitAt(join(root, "tree"));
  const [id] = await runNames(kit.runsDir);
  let before = new Uint8Array();
  if (promised.length > 0) {
    assert(id, `the run is gone, and with it ${promised.length} events`);
    const log = join(kit.runsDir, id, "events.jsonl");
    const { lines } = await readLog(denoFs, log);
    const kept = new Set(lines.map(({ event }) => JSON.stringify(event)));
    for (const event of promised) assert(kept.has(JSON.stringify(event)), `lost: ${JSON.stringify(event)}`);
    before = await Deno.readFile(log);
  }
  const { state, dir } = await runPipeline(kit.options());
  assert.equal(state.state, "done");
  assert.deepEqual(await outputsOf(dir), expected);
  if (promised.length > 0) await assertHistory(dir, before);
  const effects = await effectsOf(kit);
  assert.equal((await jobsOf(kit)).length, 1);
  for (const event of promised) {
    if (event.type === "step.done") {
      assert.equal(effects.filter((effect) => effect === event.step).length, 1, `${event.step} was redone`);
    }
  }
}

Deno.test("runPipeline() keeps its word when the machine stops at any operation and loses what was not synced", () =>
  Proof.run("power loss", (proof) =>
    withFolder(async (dir) => {
      const undisturbed = await stopAt(join(dir, "undisturbed"), Infinity);
      const [id] = await runNames(join(dir, "undisturbed", "tree", "runs"));
      const expected = await outputsOf(join(dir, "undisturbed", "tree", "runs", id!));
      const operations = undisturbed.loss.count;
      assert(operations > 100, `only ${operations} operations`);
      const models = {
        all: () => false,
        journal: () => proof.random() < 0.8,
        some: () => proof.random() < 0.5,
      };
      for (const [model, keep] of Object.entries(models)) {
        for (let at = 1; at <= operations; at++) {
          const root = join(dir, `${model}-${at}`);
          await proof.try(`${model} lost at operation ${at} of ${operations}`, async () => {
            const stop = await stopAt(root, at);
            await stop.loss.lose(keep);
            proof.count("power losses");
            await recovers(stop, root, expected);
            proof.count("resumes");
          });
          await Deno.remove(root, { recursive: true });
        }
      }
    })));

Deno.test("a job folder that is complete stays complete when the machine stops", () =>
  Proof.run("power loss, job folder", (proof) =>
    withFolder(async (dir) => {
      const FILES = ["job.json", "prepared/train.safetensors", "tokens.json"];
      let complete = false;
      for (let at = 1; !complete; at++) {
        const root = join(dir, String(at));
        const configured = join(root, "tree", "configured");
        await Deno.mkdir(join(configured, "prepared"), { recursive: true });
        for (const name of FILES) await Deno.writeTextFile(join(configured, name), name);
        await Deno.mkdir(join(root, "graveyard"));
        const loss = new PowerLossFs(join(root, "tree"), join(root, "graveyard"), at);
        const job = join(root, "tree", "run", "job");
        await proof.try(`stopped at operation ${at}`, async () => {
          const build = async () => {
            await buildJobFolder(configured, job, loss.fs);
            await completeJobFolder(configured, job, loss.fs);
          };
          complete = await build().then(() => true, () => false);
          await loss.lose(() => false);
          proof.count("power losses");
          if (complete || await denoFs.stat(join(job, "job.json"))) {
            assert.deepEqual(await filesBelow(job, denoFs), FILES);
          }
        });
      }
    })));
