import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { isKnown } from "../../src/log/events.ts";
import { readLog } from "../../src/log/read.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { STEP_KINDS } from "../../src/steps/step.ts";
import { copyFolder, jobsOf, type Kit, kitAt, outputsOf } from "./kit.ts";

/** One undisturbed run, and all that is needed to put its project back as it was at any moment. */
export interface Recorded {
  readonly kit: Kit;
  readonly id: string;
  readonly log: Uint8Array;
  readonly outputs: Record<string, string>;
}

export async function record(root: string): Promise<Recorded> {
  const kit = await kitAt(root);
  const { id, dir } = await runPipeline(kit.options());
  return { kit, id, log: await Deno.readFile(join(dir, "events.jsonl")), outputs: await outputsOf(dir) };
}

/** Everything a step did stays, the log ends early: the runner was killed between an effect and its commit. */
export async function cutAt({ kit, id, log }: Recorded, bytes: number): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "temper-cut-", dir: join(kit.root, "..") });
  await copyFolder(kit.root, root);
  await Deno.writeFile(join(root, "runs", id, "events.jsonl"), log.subarray(0, bytes));
  return root;
}

/** Every length at which a log ends with a whole event, 0 included. */
export function boundaries(log: Uint8Array): number[] {
  const ends = [0];
  for (const [index, byte] of log.entries()) if (byte === 10) ends.push(index + 1);
  return ends;
}

/** Nothing earlier changed, one end for each step, and nothing that had ended was started again. */
export async function assertHistory(dir: string, before: Uint8Array): Promise<void> {
  const path = join(dir, "events.jsonl");
  const after = await Deno.readFile(path);
  const committed = before.subarray(0, boundaries(before).at(-1));
  assert.deepEqual(after.subarray(0, committed.length), committed, "the log was changed");
  const ended = new Set<string>();
  for (const { event } of (await readLog(denoFs, path)).lines) {
    if (!isKnown(event)) continue;
    if (event.type === "step.started") assert(!ended.has(event.step), `${event.step} was redone`);
    if (event.type !== "step.done" && event.type !== "step.skipped") continue;
    assert(!ended.has(event.step), `${event.step} ended twice`);
    ended.add(event.step);
  }
  assert.deepEqual([...ended], STEP_KINDS);
}

/** Cuts, resumes and compares. `cold`: the cache was lost too, so that unfinished steps run again. */
export async function resumesAt(recorded: Recorded, bytes: number, cold: boolean): Promise<void> {
  const root = await cutAt(recorded, bytes);
  try {
    const kit = await kitAt(root);
    if (cold) await Deno.remove(kit.cacheDir, { recursive: true });
    const outcome = await runPipeline(kit.options());
    assert.equal(outcome.id, recorded.id);
    assert.equal(outcome.state.state, "done");
    assert.deepEqual(await outputsOf(outcome.dir), recorded.outputs);
    await assertHistory(outcome.dir, recorded.log.subarray(0, bytes));
    assert.equal((await jobsOf(kit)).length, 1);
    assert.equal(await denoFs.stat(join(outcome.dir, "attempts")), undefined);
    assert.equal((await runPipeline(kit.options())).did, "reported");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
