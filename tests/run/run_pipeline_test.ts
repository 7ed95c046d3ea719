import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { LockedError, TemperError } from "../../src/lib/errors.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import type { LogEvent } from "../../src/log/events.ts";
import { readRun } from "../../src/log/read_run.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { until } from "../until.ts";
import { effectsOf, outputsOf, withKit } from "./kit.ts";
import { runNames } from "../hermetic.ts";

const ALL = ["extract", "format", "configure", "job", "submit", "monitor"];

Deno.test("runPipeline() runs every step once, in order, with intent before commit", () =>
  withKit(async (kit) => {
    const events: LogEvent[] = [];
    const outcome = await runPipeline(kit.options({ onEvent: (event) => events.push(event) }));
    assert.equal(outcome.did, "started");
    assert.equal(outcome.exitCode, 0);
    assert.equal(outcome.state.state, "done");
    assert.deepEqual(await effectsOf(kit), ALL);
    assert.deepEqual(outcome.state.metrics, { metric: "exact_match", before: 0, after: 1 });
    assert.deepEqual(outcome.state.artifacts.map(({ path }) => path), ["model.bin"]);
    const submitted = outcome.state.steps[3]!.key;
    assert.equal((await outputsOf(outcome.dir))["5-monitor/result.txt"], `result of ${submitted}`);
    assert.deepEqual(outcome.state.steps.map((step) => [step.kind, step.state, step.cached, step.attempt]), [
      ["extract", "done", false, 1],
      ["format", "done", false, 1],
      ["configure", "done", false, 1],
      ["submit", "done", false, 1],
      ["monitor", "done", false, 1],
    ]);
    const decisions = events.map(({ type }) => type).filter((type) => type !== "step.progress");
    const pair = ["step.started", "step.done"];
    const expected = [
      "run.started",
      ...pair,
      ...pair,
      ...pair,
      "step.started",
      "step.submitted",
      "step.done",
    ];
    assert.deepEqual(decisions, [...expected, ...pair, "run.done"]);
    assert.deepEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1));
    assert.deepEqual(await denoFs.list(outcome.dir), [
      "events.jsonl",
      "lock",
      "model.bin",
      "pipeline.yaml",
      "plan.json",
      "steps",
    ]);
  }));

Deno.test("runPipeline() reports a finished run and does nothing", () =>
  withKit(async (kit) => {
    const first = await runPipeline(kit.options());
    const log = await Deno.readFile(join(first.dir, "events.jsonl"));
    const second = await runPipeline(kit.options());
    assert.equal(second.did, "reported");
    assert.equal(second.id, first.id);
    assert.equal(second.exitCode, 0);
    assert.deepEqual(await Deno.readFile(join(first.dir, "events.jsonl")), log);
    assert.deepEqual(await effectsOf(kit), ALL);
  }));

Deno.test("runPipeline() starts anew when an artifact of the finished run is gone", () =>
  withKit(async (kit) => {
    const first = await runPipeline(kit.options());
    await Deno.remove(join(first.dir, "model.bin"));
    let sentence: string | undefined;
    const second = await runPipeline(kit.options({ onRun: (_, words) => void (sentence = words) }));
    assert.equal(second.did, "started");
    assert.match(sentence ?? "", /lost its artifact "model.bin": starting a new run/);
  }));

Deno.test("runPipeline() with fresh starts a new run from the cache", () =>
  withKit(async (kit) => {
    const first = await runPipeline(kit.options());
    const second = await runPipeline(kit.options({ fresh: true }));
    assert.notEqual(second.id, first.id);
    assert.deepEqual(second.state.steps.map(({ cached }) => cached), [true, true, true, false, false]);
    assert.deepEqual(second.state.steps.map(({ from }) => from).slice(0, 3), [first.id, first.id, first.id]);
    assert.deepEqual(await effectsOf(kit), [...ALL, "submit", "monitor"]);
    assert.deepEqual(await outputsOf(second.dir), await outputsOf(first.dir));
  }));

Deno.test("runPipeline() names what changed and runs the steps after it", () =>
  withKit(async (kit) => {
    const first = await runPipeline(kit.options());
    await Deno.writeTextFile(kit.data, "four\n");
    let sentence: string | undefined;
    const second = await runPipeline(kit.options({ onRun: (_, words) => void (sentence = words) }));
    assert.equal(
      sentence,
      `Pipeline file or data changed since run "${first.id}" (step "extract": inputs.data): starting a new run`,
    );
    assert.deepEqual(second.state.steps.map(({ cached }) => cached), [false, false, false, false, false]);
    assert.equal((await outputsOf(second.dir))["2-format/deep/er/train.txt"], "FOUR\n");
  }));

Deno.test("runPipeline() refuses a run that another process drives", () =>
  withKit(async (kit) => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const slow = kit.options({
      onEvent: (event) => event.type === "step.started" && event.step === "extract" && start(),
    });
    const steps = slow.steps.map((step) =>
      step.kind === "extract"
        ? {
          ...step,
          run: (context: Parameters<typeof step.run>[0]) => released.then(() => step.run(context)),
        }
        : step
    );
    const first = runPipeline({ ...slow, steps });
    await started;
    const error = await runPipeline(kit.options()).catch((error) => error);
    assert(error instanceof LockedError);
    assert.equal(error.exitCode, 3);
    assert.match(error.hint ?? "", /`temper logs .* --follow`/);
    release();
    assert.equal((await first).state.state, "done");
    assert.deepEqual(await effectsOf(kit), ALL);
  }));

Deno.test("runPipeline() ends a failed run with the step's error, and the next run takes the rest from the cache", () => {
  let failing = true;
  const hooks = {
    configure() {
      if (failing) {
        throw new TemperError("bad-base", 'Cannot read base "x": nothing is there', { hint: "Name another" });
      }
    },
  };
  return withKit(async (kit) => {
    const first = await runPipeline(kit.options());
    assert.equal(first.exitCode, 1);
    assert.equal(first.error?.code, "bad-base");
    assert.equal(first.state.state, "failed");
    assert.deepEqual(first.state.error, {
      code: "bad-base",
      message: 'Cannot read base "x": nothing is there',
      hint: "Name another",
    });
    assert.deepEqual(first.state.steps.map(({ state }) => state), [
      "done",
      "done",
      "failed",
      "pending",
      "pending",
    ]);
    failing = false;
    const second = await runPipeline(kit.options());
    assert.equal(second.did, "started");
    assert.notEqual(second.id, first.id);
    assert.deepEqual(second.state.steps.map(({ cached }) => cached), [true, true, false, false, false]);
    assert.deepEqual(await effectsOf(kit), ALL);
  }, { hooks });
});

Deno.test("runPipeline() keeps what a step said that nobody foresaw", () => {
  const hooks = {
    format() {
      throw new TypeError("x is not a function");
    },
  };
  return withKit(async (kit) => {
    const { error, state } = await runPipeline(kit.options());
    assert.equal(error?.code, "unexpected");
    assert(error?.cause instanceof TypeError);
    assert.equal(state.error?.message, 'Cannot finish step "format": TypeError: x is not a function');
  }, { hooks });
});

Deno.test("runPipeline() tries again what may succeed later, in a folder of its own", () => {
  const outs: string[] = [];
  const hooks = {
    async format({ out, fs }: { out: string; fs: typeof denoFs }) {
      outs.push(out);
      assert.deepEqual(await fs.list(out), []);
      await fs.writeAtomic(join(out, "half"), "half");
      if (outs.length < 3) throw new TemperError("busy", "busy", { transient: true, retryAfterMs: 1 });
      await fs.remove(join(out, "half"));
    },
  };
  return withKit(async (kit) => {
    const { state, dir } = await runPipeline(kit.options());
    assert.equal(state.state, "done");
    const format = state.steps[1];
    assert.deepEqual([format?.attempt, format?.retries, format?.error], [3, 2, undefined]);
    assert.equal(new Set(outs).size, 3);
    assert.deepEqual(Object.keys(await outputsOf(dir)).filter((path) => path.startsWith("2-")), [
      "2-format/deep/er/train.txt",
      "2-format/report.txt",
    ]);
  }, { hooks });
});

Deno.test("runPipeline() does not keep outputs under the key of inputs that changed meanwhile", () => {
  const kitHooks = {
    async extract({ loaded }: { loaded: { dir: string } }) {
      await Deno.writeTextFile(join(loaded.dir, "data.txt"), "new\n");
    },
  };
  return withKit(async (kit) => {
    const { state } = await runPipeline(kit.options());
    assert.equal(state.error?.code, "inputs-changed");
    assert.deepEqual(await denoFs.list(join(kit.cacheDir, "steps")), []);
  }, { hooks: kitHooks });
});

Deno.test("runPipeline() leaves an interrupted run without an end and goes on with it", () => {
  const interrupt = new AbortController();
  let times = 0;
  const hooks = {
    monitor(
      { signal, clock }: { signal: AbortSignal; clock: { sleep(ms: number, s: AbortSignal): Promise<void> } },
    ) {
      if (times++ > 0) return;
      queueMicrotask(() => interrupt.abort(new Error("left")));
      return clock.sleep(60_000, signal);
    },
  };
  return withKit(async (kit) => {
    const control = {
      interrupt: interrupt.signal,
      cancel: new AbortController().signal,
      cancelWindowMs: () => 0,
    };
    const first = await runPipeline(kit.options({ control }));
    assert.equal(first.exitCode, 130);
    assert.equal(first.state.state, "interrupted");
    await until(
      "its lock to be gone",
      async () => (await readRun(denoFs, first.dir))?.state === "interrupted",
    );
    // A process that is just being started has the lock for an instant more.
    const held = await denoFs.lock(join(first.dir, "lock"));
    setTimeout(() => held!.release(), 100);
    const second = await runPipeline(kit.options());
    assert.equal(second.did, "resumed");
    assert.equal(second.id, first.id);
    assert.equal(second.state.state, "done");
    assert.equal(second.state.resumes, 1);
    assert.equal(second.state.steps[4]?.attempt, 2);
    assert.deepEqual(await effectsOf(kit), ALL);
  }, { hooks });
});

Deno.test("runPipeline() refuses to resume a run of another host, unless told to take over", () => {
  const interrupt = new AbortController();
  const hooks = { submit: () => interrupt.abort(new Error("left")) };
  return withKit(async (kit) => {
    const control = {
      interrupt: interrupt.signal,
      cancel: new AbortController().signal,
      cancelWindowMs: () => 0,
    };
    const first = await runPipeline(
      kit.options({ control, driver: { host: "there", pid: 1, version: "0" } }),
    );
    assert.equal(first.exitCode, 130);
    const error = await runPipeline(kit.options()).catch((error) => error);
    assert(error instanceof LockedError);
    assert.match(error.message, /it was last driven from host "there", this is "here"/);
    const second = await runPipeline(kit.options({ takeover: true }));
    assert.equal(second.id, first.id);
    assert.equal(second.state.host, "here");
  }, { hooks });
});

Deno.test("runPipeline() resumes the run it is told to, and no other", () =>
  withKit(async (kit) => {
    const first = await runPipeline(kit.options());
    const again = await runPipeline(kit.options({ resume: first.id }));
    assert.equal(again.did, "reported");
    const unknown = await runPipeline(kit.options({ resume: "nothing" })).catch((error) => error);
    assert.equal(unknown.code, "no-such-run");
    assert.equal(unknown.exitCode, 2);
    await Deno.writeTextFile(kit.data, "other\n");
    const changed = await runPipeline(kit.options({ resume: first.id })).catch((error) => error);
    assert.equal(changed.code, "plan-changed");
    assert.match(changed.message, /step "extract" changed since \(inputs.data\)/);
  }));

Deno.test("runPipeline() explains a runs folder it cannot write, and leaves nothing", () =>
  withKit(async (kit) => {
    await Deno.writeTextFile(join(kit.root, "file"), "");
    const error = await runPipeline(kit.options({ runsDir: join(kit.root, "file", "runs") })).catch((e) => e);
    assert.equal(error.code, "not-a-folder");
    assert.match(error.message, /^Cannot make a run folder in ".*": a part of the path is a file$/);
  }));

Deno.test("runPipeline() leaves no run, and no lock, when its plan cannot be written", () =>
  withKit(async (kit) => {
    const options = kit.options();
    const fs: Fs = {
      ...denoFs,
      writeAtomic(path, data) {
        if (!path.endsWith("plan.json")) return denoFs.writeAtomic(path, data);
        return Promise.reject(Object.assign(new Error("os error 30"), { code: "EROFS" }));
      },
      // The folder cannot be removed either, and is found again.
      remove: () => Promise.reject(Object.assign(new Error("os error 30"), { code: "EROFS" })),
    };
    const error = await runPipeline({ ...options, env: { ...options.env, fs } }).catch((error) => error);
    assert.equal(error.code, "not-writable");
    assert.match(error.message, /^Cannot make a run folder in ".*": the file system is read-only$/);
    const left = (await runNames(kit.runsDir)).find((name) => !name.startsWith("."));
    const lock = await denoFs.lock(join(kit.runsDir, left!, "lock"), 1_000);
    assert(lock, "no lock is left");
    lock.release();
    assert.deepEqual((await runPipeline(options)).state.state, "done");
  }));

Deno.test("runPipeline() leaves the run open where a step says so, after the tries it allows, and resumes it", () => {
  let calls = 0;
  const submit = () => {
    if (++calls > 2) return;
    throw new TemperError("away", "Cannot tell", {
      transient: calls === 1,
      retryAfterMs: 1,
      staysOpen: true,
    });
  };
  return withKit(async (kit) => {
    await assert.rejects(() => runPipeline(kit.options()), { code: "away" });
    assert.equal(calls, 2);
    const { did, state } = await runPipeline(kit.options());
    assert.deepEqual([did, state.state, state.steps[3]?.attempt], ["resumed", "done", 3]);
    assert.equal((await runNames(kit.runsDir)).length, 1);
  }, { hooks: { submit } });
});

Deno.test("runPipeline() takes no facts from an attempt that is over", () => {
  const stale: { record?: () => Promise<void> } = {};
  return withKit(async (kit) => {
    const { dir } = await runPipeline(kit.options());
    assert.ok(!(await Deno.readTextFile(join(dir, "events.jsonl"))).includes("stale"));
  }, {
    hooks: {
      extract: (context) => void (stale.record = () => context.record({ stale: 1 }, { phase: "p" })),
      format: () => assert.rejects(() => stale.record!(), /its attempt is over/),
    },
  });
});
