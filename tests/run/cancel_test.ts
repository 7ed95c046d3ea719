import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { LockedError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { JobRef } from "../../src/providers/provider.ts";
import { type CancelOptions, cancelRun } from "../../src/run/cancel.ts";
import { type RunOutcome, runPipeline } from "../../src/run/run_pipeline.ts";
import type { StepContext, StepKind } from "../../src/steps/step.ts";
import { type Hooks, type Kit, withKit } from "./kit.ts";
import { runNames } from "../hermetic.ts";

const NEVER = new AbortController().signal;

/** A step that runs until it is told to stop, and says when it has begun. */
function endless(kind: StepKind): { readonly hooks: Hooks; readonly begun: Promise<void> } {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const wait = (context: StepContext) => {
    resolve();
    return context.clock.sleep(600_000, context.signal);
  };
  return { hooks: { [kind]: wait }, begun };
}

function cancelOptions(kit: Kit, dir: string, jobs: JobRef[]): CancelOptions {
  return {
    env: { fs: denoFs, clock: systemClock, cacheDir: kit.cacheDir, env: {} },
    dir,
    host: "here",
    signal: NEVER,
    cancelJob: (job) => Promise.resolve(void jobs.push(job)),
  };
}

async function onlyRun(kit: Kit): Promise<string> {
  const [id] = await runNames(kit.runsDir);
  return join(kit.runsDir, id!);
}

Deno.test("runPipeline() told to cancel stops the job and ends the run", () => {
  const { hooks, begun } = endless("monitor");
  const cancel = new AbortController();
  return withKit(async (kit) => {
    const jobs: JobRef[] = [];
    const control = { interrupt: NEVER, cancel: cancel.signal, cancelWindowMs: () => 0 };
    const running = runPipeline(
      kit.options({ control, cancelJob: (job) => Promise.resolve(void jobs.push(job)) }),
    );
    await begun;
    cancel.abort(new Error("cancelled"));
    const { state, exitCode } = await running;
    assert.deepEqual([state.state, exitCode], ["cancelled", 1]);
    assert.deepEqual(state.steps.map(({ state }) => state), ["done", "done", "done", "done", "cancelled"]);
    assert.deepEqual(jobs, [state.job]);
    const next = await runPipeline(
      kit.options({ steps: kit.options().steps.slice(0, 3), resume: undefined }),
    );
    assert.notEqual(next.id, state.id);
  }, { hooks });
});

Deno.test("runPipeline() interrupted while its job runs can be cancelled within the window", () => {
  const { hooks, begun } = endless("monitor");
  const interrupt = new AbortController();
  const cancel = new AbortController();
  return withKit(async (kit) => {
    const jobs: JobRef[] = [];
    const control = {
      interrupt: interrupt.signal,
      cancel: cancel.signal,
      cancelWindowMs() {
        queueMicrotask(() => cancel.abort(new Error("cancelled")));
        return 600_000;
      },
    };
    const running = runPipeline(
      kit.options({ control, cancelJob: (job) => Promise.resolve(void jobs.push(job)) }),
    );
    await begun;
    interrupt.abort(new Error("left"));
    assert.equal((await running).state.state, "cancelled");
    assert.equal(jobs.length, 1);
  }, { hooks });
});

Deno.test("runPipeline() interrupted before there is a job leaves at once and is not cancelled", () => {
  const { hooks, begun } = endless("format");
  const interrupt = new AbortController();
  return withKit(async (kit) => {
    const control = {
      interrupt: interrupt.signal,
      cancel: NEVER,
      cancelWindowMs: () => assert.fail("there is nothing to cancel"),
    };
    const running = runPipeline(kit.options({ control, cancelJob: () => assert.fail("there is no job") }));
    await begun;
    interrupt.abort(new Error("left"));
    const { state, exitCode } = await running;
    assert.deepEqual([state.state, exitCode], ["interrupted", 130]);
  }, { hooks });
});

Deno.test("cancelRun() has the process that drives the run cancel it", () => {
  const { hooks, begun } = endless("monitor");
  return withKit(async (kit) => {
    const stopped: JobRef[] = [];
    const running = runPipeline(kit.options({ cancelJob: (job) => Promise.resolve(void stopped.push(job)) }));
    await begun;
    const dir = await onlyRun(kit);
    let asked = 0;
    const own: JobRef[] = [];
    const state = await cancelRun({ ...cancelOptions(kit, dir, own), onAsked: () => asked++ });
    assert.equal(state.state, "cancelled");
    assert.equal((await running).state.state, "cancelled");
    assert.deepEqual([asked, stopped.length, own.length], [1, 1, 0]);
    assert.equal(await denoFs.stat(join(dir, "cancel")), undefined);
  }, { hooks });
});

/** A run whose runner has left it at the step that never ends. */
async function leftRun(kit: Kit, begun: Promise<void>): Promise<RunOutcome> {
  const interrupt = new AbortController();
  const control = { interrupt: interrupt.signal, cancel: NEVER, cancelWindowMs: () => 0 };
  const running = runPipeline(kit.options({ control }));
  await begun;
  interrupt.abort(new Error("left"));
  return await running;
}

Deno.test("cancelRun() cancels a run that nobody drives any more", () => {
  const { hooks, begun } = endless("monitor");
  return withKit(async (kit) => {
    const { dir, state } = await leftRun(kit, begun);
    // As if the runner had been killed in the middle of a line.
    await Deno.writeTextFile(join(dir, "events.jsonl"), '{"v":1,"se', { append: true });
    const jobs: JobRef[] = [];
    const other = await cancelRun({ ...cancelOptions(kit, dir, jobs), host: "there" }).catch((error) =>
      error
    );
    assert(other instanceof LockedError);
    assert.equal((await cancelRun(cancelOptions(kit, dir, jobs))).state, "cancelled");
    assert.deepEqual(jobs, [state.job]);
    assert.equal((await cancelRun(cancelOptions(kit, dir, jobs))).state, "cancelled");
    assert.equal(jobs.length, 1);
  }, { hooks });
});

Deno.test("cancelRun() names the provider when a job may have been started and not committed", () => {
  const { hooks, begun } = endless("submit");
  return withKit(async (kit) => {
    const { dir } = await leftRun(kit, begun);
    const jobs: JobRef[] = [];
    await cancelRun(cancelOptions(kit, dir, jobs));
    assert.deepEqual(jobs, [{ provider: "local", records: [] }]);
  }, { hooks });
});

Deno.test("cancelRun() leaves the run as it is when its job cannot be stopped", () => {
  const { hooks, begun } = endless("monitor");
  return withKit(async (kit) => {
    const { dir } = await leftRun(kit, begun);
    const broken = {
      ...cancelOptions(kit, dir, []),
      cancelJob: () => Promise.reject(new Error("no answer")),
    };
    await assert.rejects(cancelRun(broken), { message: "no answer" });
    const jobs: JobRef[] = [];
    assert.equal((await cancelRun(cancelOptions(kit, dir, jobs))).state, "cancelled");
    assert.equal(jobs.length, 1);
  }, { hooks });
});

Deno.test("cancelRun() reports a run that was done before", () =>
  withKit(async (kit) => {
    const { dir } = await runPipeline(kit.options());
    const jobs: JobRef[] = [];
    assert.equal((await cancelRun(cancelOptions(kit, dir, jobs))).state, "done");
    assert.deepEqual(jobs, []);
  }));

Deno.test("runPipeline() does not heed a request that was meant for a runner before it", () => {
  // Longer than a runner waits between two looks for a request.
  const hooks: Hooks = { monitor: ({ clock, signal }) => clock.sleep(800, signal) };
  return withKit(async (kit) => {
    const interrupt = new AbortController();
    const control = { interrupt: interrupt.signal, cancel: NEVER, cancelWindowMs: () => 0 };
    const first = await runPipeline(kit.options({
      control,
      onEvent: (event) => event.type === "step.started" && interrupt.abort(new Error("left")),
    }));
    await Deno.writeTextFile(join(first.dir, "cancel"), "");
    const second = await runPipeline(kit.options());
    assert.deepEqual([second.id, second.state.state], [first.id, "done"]);
  }, { hooks });
});
