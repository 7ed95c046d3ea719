import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { LogEvent } from "../../src/log/events.ts";
import { type RunOutcome, runPipeline } from "../../src/run/run_pipeline.ts";
import { doubleAt, type DoubleKit } from "./double.ts";
import { outputsOf } from "./kit.ts";
import { runNames } from "../hermetic.ts";

/** A second of waiting takes ten milliseconds. */
const hurried: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

async function driven(root: string, name: string): Promise<RunOutcome & { readonly events: LogEvent[] }> {
  const kit: DoubleKit = await doubleAt(root, name, { clock: hurried });
  const events: LogEvent[] = [];
  return { ...await runPipeline(kit.options({ onEvent: (event) => void events.push(event) })), events };
}

function tries(events: readonly LogEvent[]) {
  return events.filter(({ type }) => type === "step.retrying" || type === "step.failed");
}

/** What configure left: only the name of the pipeline and its folder differ. */
async function configured({ dir, state }: RunOutcome): Promise<Record<string, string>> {
  const root = join(dir, "..", "..");
  const outputs = Object.entries(await outputsOf(dir)).filter(([path]) => path.startsWith("3-configure/"));
  return Object.fromEntries(
    outputs.map(([path, text]) => [path, text.replaceAll(state.name, "NAME").replaceAll(root, "ROOT")]),
  );
}

Deno.test("a run whose prepare is killed is repeated in the same run, and ends as an undisturbed one", async () => {
  const dir = await Deno.makeTempDir();
  const roots = ["killed", "undisturbed"].map((name) => join(dir, name));
  await Promise.all(roots.map((root) => Deno.mkdir(root)));
  const killed = await driven(roots[0]!, "prepare-killed");
  assert.equal(killed.state.state, "done", killed.error?.message);
  assert.equal((await runNames(join(roots[0]!, "runs"))).length, 1);
  const step = killed.state.steps.find(({ kind }) => kind === "configure");
  assert.deepEqual([step?.attempt, step?.retries], [4, 3]);
  for (const event of tries(killed.events)) {
    assert(event.type === "step.retrying");
    assert.match(
      event.error.message,
      /^Cannot prepare the job: the trainer was killed by SIGKILL\n.*Killed by the test/s,
    );
  }
  const expected = await configured(await driven(roots[1]!, "home"));
  assert(Object.keys(expected).some((path) => path.endsWith("tokens.json")));
  assert.deepEqual(await configured(killed), expected);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a run whose prepare is killed each time fails after five tries and says that memory may have run out", async () => {
  const root = await Deno.makeTempDir();
  const { state, error, events, exitCode } = await driven(root, "prepare-killed-always");
  assert.equal(state.state, "failed");
  assert.equal(exitCode, 1);
  assert.equal(tries(events).length, 5);
  assert.match(error!.message, /^Cannot prepare the job: the trainer was killed by SIGKILL/);
  assert.equal(error!.hint, "It probably ran out of memory: close other programs, or use a smaller base");
  await Deno.remove(root, { recursive: true });
});

for (const [name, code] of [["too-long", 2], ["prepare-crash", 1]] as const) {
  Deno.test(`a run whose prepare ends with ${code} by itself is not tried again (${name})`, async () => {
    const root = await Deno.makeTempDir();
    const { state, events, exitCode } = await driven(root, name);
    assert.equal(state.state, "failed");
    assert.equal(exitCode, code);
    assert.deepEqual(tries(events).map(({ type }) => type), ["step.failed"]);
    await Deno.remove(root, { recursive: true });
  });
}
