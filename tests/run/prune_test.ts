import assert from "../deps/assert.ts";
import { basename, join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import { listRuns } from "../../src/log/read_run.ts";
import { planPrune, prune, type PruneOptions } from "../../src/run/prune.ts";
import { tagRun } from "../../src/run/tag_run.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { until } from "../until.ts";
import { effectsOf, type Kit, withKit } from "./kit.ts";
import { runNames } from "../hermetic.ts";

const DAY_MS = 86_400_000;

function envOf({ cacheDir }: Kit, daysLater = 0) {
  const clock = { ...systemClock, now: () => Date.now() + daysLater * DAY_MS };
  return { fs: denoFs, clock, cacheDir, env: {} };
}

/** Finished runs, the oldest first, each of other data and so with outputs of its own. */
async function finished(kit: Kit, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    await Deno.writeTextFile(kit.data, `data ${i}\n`);
    ids.push((await runPipeline(kit.options())).id);
  }
  return ids;
}

async function interrupted(kit: Kit): Promise<string> {
  await Deno.writeTextFile(kit.data, "interrupted\n");
  const interrupt = new AbortController();
  const control = {
    interrupt: interrupt.signal,
    cancel: new AbortController().signal,
    cancelWindowMs: () => 0,
  };
  const { id, state } = await runPipeline(kit.options({
    control,
    onEvent: (event) =>
      event.type === "step.done" && event.step === "format" && interrupt.abort(new Error("left")),
  }));
  assert.equal(state.state, "interrupted");
  return id;
}

async function going(kit: Kit, options: Partial<PruneOptions>, daysLater = 0) {
  const { removals } = await planPrune(envOf(kit, daysLater), { runsDir: kit.runsDir, ...options });
  return removals.filter(({ kind }) => kind === "run").map(({ name }) => name).sort();
}

Deno.test("planPrune() lets the oldest finished runs go, and no other", () =>
  withKit(async (kit) => {
    const ids = await finished(kit, 4);
    await interrupted(kit);
    assert.deepEqual(await going(kit, {}), []);
    assert.deepEqual(await going(kit, { keep: 3 }), [ids[0]]);
    assert.deepEqual(await going(kit, { keep: 0 }), ids.toSorted());
    assert.deepEqual(await going(kit, { olderThanMs: DAY_MS }), []);
    assert.deepEqual(await going(kit, { olderThanMs: DAY_MS }, 2), ids.toSorted());
    assert.deepEqual(await going(kit, { olderThanMs: DAY_MS, keep: 2 }, 2), ids.slice(0, 2).toSorted());
  }));

Deno.test("planPrune() keeps a run that is used, named by a comparison, or cannot be read", () =>
  withKit(async (kit) => {
    const [used, compared, damaged] = await finished(kit, 3);
    const dir = (id?: string) => join(kit.runsDir, id!);
    await Deno.mkdir(join(dir(used), "job"));
    const trainer = await denoFs.lock(join(dir(used), "job", "lock"));
    await Deno.mkdir(dir("tiny"));
    await Deno.writeTextFile(join(dir("tiny"), "compare.json"), JSON.stringify([{ run: compared }]));
    await Deno.writeTextFile(join(dir(damaged), "events.jsonl"), "{}\n");
    assert.deepEqual(await going(kit, { keep: 0 }), []);
    trainer?.release();
    // A process that another test is just starting has the lock's file open until it becomes a program.
    await until("the lock to be free", async () => (await going(kit, { keep: 0 })).length > 0);
    assert.deepEqual(await going(kit, { keep: 0 }), [used]);
  }));

Deno.test("planPrune() keeps a run with the tag keep, and goes by no other", () =>
  withKit(async (kit) => {
    const [kept, tagged] = await finished(kit, 2);
    await tagRun(denoFs, kit.runsDir, kept!, { add: ["keep"], remove: [] });
    await tagRun(denoFs, kit.runsDir, tagged!, { add: ["bad"], remove: [], note: "keep" });
    assert.deepEqual(await going(kit, { keep: 0 }), [tagged]);
    await Deno.writeTextFile(join(kit.runsDir, tagged!, "tags.json"), "{");
    assert.deepEqual(await going(kit, { keep: 0 }), [], "what it says cannot be known");
  }));

Deno.test("prune() removes runs and outputs that nothing refers to, and says what that frees", () =>
  withKit(async (kit) => {
    const [old, newer] = await finished(kit, 2);
    const left = await interrupted(kit);
    const env = envOf(kit);
    const options = { runsDir: kit.runsDir, keep: 1 };
    const looked = await planPrune(env, options);
    assert.deepEqual((await listRuns(denoFs, kit.runsDir)).length, 3, "looking removes nothing");
    const before = await sizeOf(kit);
    const done = await prune(env, options);
    assert.deepEqual(done, looked);
    assert.equal(before - await sizeOf(kit), done.freed);
    assert.deepEqual(done.kept, { runs: 2, outputs: 5 });
    assert.deepEqual((await listRuns(denoFs, kit.runsDir)).map(({ id }) => id).sort(), [newer, left].sort());
    assert.equal(done.removals.filter(({ kind }) => kind === "output").length, 3);
    assert.equal(await denoFs.stat(join(kit.runsDir, old!)), undefined);
    // What stayed is whole: the interrupted run goes on from its finished steps.
    const effects = (await effectsOf(kit)).length;
    const again = await runPipeline(kit.options());
    assert.deepEqual([again.id, again.did, again.state.state], [left, "resumed", "done"]);
    assert.equal((await effectsOf(kit)).length, effects + 4, "configure, job, submit, monitor");
    assert.deepEqual((await prune(env, options)).removals.map(({ name }) => name).includes(newer!), true);
  }));

Deno.test("prune() counts files that something else links to as not freed", () =>
  withKit(async (kit) => {
    const [id] = await finished(kit, 1);
    const linked = join(kit.root, "kept.bin");
    await Deno.writeFile(join(kit.runsDir, id!, "large"), new Uint8Array(5_000_000));
    const options = { runsDir: kit.runsDir, keep: 0 };
    // A process that a test beside this one is starting holds every lock of this program until it is on its way.
    await until("the run's lock", async () => (await planPrune(envOf(kit), options)).freed > 5_000_000);
    await Deno.link(join(kit.runsDir, id!, "large"), linked);
    assert((await planPrune(envOf(kit), options)).freed < 1_000_000);
  }));

Deno.test("prune() removes what killed processes have left", () =>
  withKit(async (kit) => {
    const [id] = await finished(kit, 1);
    const claimed = `${id!.slice(0, -4)}0000`;
    for (const path of [join(kit.runsDir, claimed), join(kit.runsDir, `.removing-${id}`)]) {
      await Deno.mkdir(path);
    }
    await Deno.mkdir(join(kit.cacheDir, "steps", ".new-x", "out"), { recursive: true });
    const { removals } = await prune(envOf(kit), { runsDir: kit.runsDir });
    assert.deepEqual(
      removals.map(({ kind, path }) => [kind, basename(path)]).sort(),
      [
        ["leftover", ".new-x"],
        ["leftover", `.removing-${id}`],
        ["leftover", claimed],
      ].sort(),
    );
    assert.deepEqual(await runNames(kit.runsDir), [id]);
  }));

Deno.test("prune() says what it cannot remove", () =>
  withKit(async (kit) => {
    const left = {
      path: join(kit.root, "left"),
      name: "left",
      why: "partly fetched",
      lock: join(kit.root, "lock"),
    };
    const fs: Fs = {
      ...denoFs,
      lock: (path, waitMs) =>
        path === left.lock
          ? Promise.reject(Object.assign(new Error("read-only"), { code: "EROFS" }))
          : denoFs.lock(path, waitMs),
    };
    const options = { runsDir: kit.runsDir, leftovers: () => Promise.resolve([left]) };
    await assert.rejects(prune({ ...envOf(kit), fs }, options), {
      code: "not-writable",
      message: `Cannot remove "${left.path}": the file system is read-only`,
    });
  }));

Deno.test("runPipeline() runs a step again whose stored output is removed while it is being linked", () =>
  withKit(async (kit) => {
    await runPipeline(kit.options());
    const options = kit.options({ fresh: true });
    let pulled = false;
    const fs = {
      ...denoFs,
      async linkOrCopy(from: string, to: string) {
        if (!pulled && from.startsWith(kit.cacheDir)) {
          pulled = true;
          await Deno.remove(join(from, "..", ".."), { recursive: true });
        }
        await denoFs.linkOrCopy(from, to);
      },
    };
    const { state } = await runPipeline({ ...options, env: { ...options.env, fs } });
    assert.equal(state.state, "done");
    assert.match(state.steps[0]?.messages[0] ?? "", /was removed in the meantime: running it again$/);
  }));

async function sizeOf(kit: Kit): Promise<number> {
  const sizes = new Map<number, number>();
  const visit = async (dir: string) => {
    for (const name of await denoFs.list(dir)) {
      const stat = await denoFs.stat(join(dir, name));
      if (stat?.isDirectory) await visit(join(dir, name));
      else if (stat) sizes.set(stat.inode, stat.size);
    }
  };
  await visit(kit.root);
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
