import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { readRun } from "../../../src/log/read_run.ts";
import type { RunState } from "../../../src/log/run_state.ts";
import { doubleAt, type DoubleKit } from "../../run/double.ts";
import { until } from "../../until.ts";
import type { TestCluster } from "./test_cluster.ts";

/** A project whose pipeline trains the double on a real cluster. `engine`: further fields of that section. */
export async function rayDouble(
  root: string,
  double: string,
  cluster: TestCluster,
  engine: object = {},
): Promise<DoubleKit> {
  await denoFs.mkdirp(root);
  return await doubleAt(root, double, { engine: { ...cluster.engine(), ...engine } });
}

export async function runDir(kit: DoubleKit): Promise<string> {
  return join(await kit.jobDir(), "..");
}

/** `undefined` before the run has begun. */
export async function stateOf(kit: DoubleKit): Promise<RunState | undefined> {
  return await readRun(denoFs, await runDir(kit));
}

/** All that the steps said, in order. */
export async function messages(kit: DoubleKit): Promise<string[]> {
  return (await stateOf(kit))?.steps.flatMap((step) => step.messages) ?? [];
}

/** Each was said, in this order; other sentences may come between them. */
export async function assertSaid(kit: DoubleKit, expected: readonly RegExp[]): Promise<void> {
  const said = await messages(kit);
  let from = 0;
  for (const sentence of expected) {
    const at = said.findIndex((text, i) => i >= from && sentence.test(text));
    assert(at !== -1, `${sentence} was not said, or not in its place: ${JSON.stringify(said)}`);
    from = at + 1;
  }
}

/** The jobs that the cluster has of a run, once they have ended: attempt and state. */
export async function sent(kit: DoubleKit, cluster: TestCluster): Promise<string[]> {
  const { id: run } = (await stateOf(kit))!;
  return await until("the end of the jobs", async () => {
    const jobs = (await cluster.jobs()).filter(({ submission_id: id }) => id.startsWith(`temper-${run}-`));
    const texts = jobs.map(({ submission_id: id, status }) => `${id.split("-").at(-1)} ${status}`).sort();
    return texts.every((text) => !/PENDING|RUNNING/.test(text)) && texts;
  });
}
