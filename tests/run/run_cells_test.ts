import assert from "../deps/assert.ts";
import { InterruptedError, LockedError, TemperError, UsageError } from "../../src/lib/errors.ts";
import { type CellRun, runCells } from "../../src/run/run_cells.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import type { LoadedSpec } from "../../src/spec/load.ts";
import { effectsOf, type Kit, loadedSpec, withKit } from "./kit.ts";

function cellsOf(kit: Kit, ...labels: string[]): LoadedSpec[] {
  const loaded = loadedSpec(kit.root);
  return labels.map((label) => ({ ...loaded, spec: { ...loaded.spec, name: `tiny-${label}` } }));
}

async function all(runs: AsyncIterable<CellRun>): Promise<CellRun[]> {
  const ended = [];
  for await (const run of runs) ended.push(run);
  return ended;
}

const NEVER = { interrupt: new AbortController().signal, cancel: new AbortController().signal };

Deno.test("runCells() makes one run a cell, over shared steps, and reports what is done", () =>
  withKit(async (kit) => {
    const cells = cellsOf(kit, "a", "b");
    const run = (loaded: LoadedSpec) => runPipeline(kit.options({ loaded }));
    const first = await all(runCells(cells, NEVER, run));
    assert.deepEqual(first.map(({ outcome }) => [outcome?.did, outcome?.state.name, outcome?.state.state]), [
      ["started", "tiny-a", "done"],
      ["started", "tiny-b", "done"],
    ]);
    const effects = await effectsOf(kit);
    assert.equal(effects.filter((effect) => effect === "extract").length, 1);
    const second = await all(runCells(cells, NEVER, run));
    assert.deepEqual(second.map(({ outcome }) => outcome?.did), ["reported", "reported"]);
    assert.deepEqual(await effectsOf(kit), effects);
  }));

Deno.test("runCells() goes on after a run that fails, and after one that cannot be planned", () =>
  withKit(async (kit) => {
    const ended = await all(runCells(cellsOf(kit, "a", "b", "c"), NEVER, async (loaded, index) => {
      if (index === 0) throw new UsageError("bad-base", "Cannot read the base");
      return await runPipeline(kit.options({ loaded }));
    }));
    assert.deepEqual(ended.map(({ outcome, error }) => [outcome?.state.state, error?.code]), [
      [undefined, "bad-base"],
      ["failed", "broken"],
      ["failed", "broken"],
    ]);
  }, {
    hooks: {
      format: () => {
        throw new TemperError("broken", "Cannot format: it is broken");
      },
    },
  }));

Deno.test("runCells() stops where another process is at work, and on what nobody foresaw", () =>
  withKit(async (kit) => {
    for (const error of [new LockedError("driven"), new TypeError("bug")]) {
      let calls = 0;
      const runs = runCells(cellsOf(kit, "a", "b"), NEVER, () => {
        calls++;
        throw error;
      });
      await assert.rejects(all(runs), error);
      assert.equal(calls, 1);
    }
  }));

Deno.test("runCells() starts nothing more once it is interrupted", async () => {
  const interrupt = new AbortController();
  await withKit(async (kit) => {
    const control = { ...NEVER, interrupt: interrupt.signal, cancelWindowMs: () => 0 };
    const ended = await all(runCells(
      cellsOf(kit, "a", "b"),
      control,
      (loaded) => runPipeline(kit.options({ loaded, control })),
    ));
    assert.deepEqual(ended.map(({ outcome }) => outcome?.state.state), ["interrupted"]);
  }, { hooks: { configure: () => interrupt.abort(new Error("left")) } });
});

Deno.test("runCells() runs as many at the same time as asked, and yields each as it ends", () =>
  withKit(async (kit) => {
    const gates = new Map(["a", "b", "c"].map((name) => [`tiny-${name}`, Promise.withResolvers<void>()]));
    const begun: string[] = [];
    const runs = runCells(cellsOf(kit, "a", "b", "c"), { ...NEVER, parallel: 2 }, async (loaded) => {
      begun.push(loaded.spec.name);
      await gates.get(loaded.spec.name)!.promise;
      return await runPipeline(kit.options({ loaded }));
    });
    const first = runs.next();
    assert.deepEqual(begun, ["tiny-a", "tiny-b"]);
    gates.get("tiny-b")!.resolve();
    assert.equal((await first).value.loaded.spec.name, "tiny-b");
    gates.get("tiny-c")!.resolve();
    assert.equal((await runs.next()).value.loaded.spec.name, "tiny-c");
    gates.get("tiny-a")!.resolve();
    assert.deepEqual((await all(runs)).map(({ outcome }) => outcome?.state.state), ["done"]);
  }));

Deno.test("runCells() makes what runs share once, also when all want it at the same time", () =>
  withKit(async (kit) => {
    const cells = cellsOf(kit, "a", "b", "c");
    const ended = await all(runCells(
      cells,
      { ...NEVER, parallel: 3 },
      (loaded) => runPipeline(kit.options({ loaded })),
    ));
    assert.deepEqual(ended.map(({ outcome }) => outcome?.state.state), ["done", "done", "done"]);
    const effects = await effectsOf(kit);
    for (const kind of ["extract", "format", "configure"]) {
      assert.equal(effects.filter((effect) => effect === kind).length, 1, kind);
    }
    assert.equal(effects.filter((effect) => effect === "monitor").length, 3);
  }, { pace: 5 }));

Deno.test("runCells() leaves all that run at the same time when it is interrupted", async () => {
  const interrupt = new AbortController();
  await withKit(async (kit) => {
    const ended = await all(runCells(
      cellsOf(kit, "a", "b", "c"),
      { ...NEVER, interrupt: interrupt.signal, parallel: 2 },
      (loaded, _, leave) => {
        const control = { ...NEVER, interrupt: leave, cancelWindowMs: () => 0 };
        return runPipeline(kit.options({ loaded, control }));
      },
    ));
    assert.deepEqual(ended.map(({ outcome }) => outcome?.state.state), ["interrupted", "interrupted"]);
  }, { hooks: { configure: () => interrupt.abort(new InterruptedError("left")) } });
});

Deno.test("runCells() leaves the others where one is driven elsewhere, and where nobody listens any more", () =>
  withKit(async (kit) => {
    const left: string[] = [];
    const untilLeft = async ({ spec }: LoadedSpec, leave: AbortSignal) => {
      await new Promise((resolve) => leave.addEventListener("abort", resolve));
      left.push(spec.name);
      throw leave.reason;
    };
    const driven = new LockedError("driven");
    const cells = cellsOf(kit, "a", "b", "c");
    const locked = runCells(cells, { ...NEVER, parallel: 2 }, async (loaded, index, leave) => {
      if (index === 0) throw driven;
      return await untilLeft(loaded, leave);
    });
    await assert.rejects(all(locked), driven);
    assert.deepEqual(left, ["tiny-b"]);
    const given = runCells(cells, { ...NEVER, parallel: 2 }, async (loaded, index, leave) => {
      return index === 0 ? await runPipeline(kit.options({ loaded })) : await untilLeft(loaded, leave);
    });
    for await (const _ of given) break;
    assert.deepEqual(left, ["tiny-b", "tiny-b"]);
  }));
