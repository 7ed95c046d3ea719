import assert from "../deps/assert.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { failingFs, type FaultKind } from "./faulty_fs.ts";
import { jobsOf, type Kit, kitAt, outputsOf } from "./kit.ts";

const CODES = { full: "disk-full", once: "io-error" } as const;

/** Operations of an undisturbed run. */
export async function operationsOfARun(root: string): Promise<number> {
  const faulty = failingFs("once", Infinity);
  await runPipeline((await kitAt(root, { fs: faulty.fs })).options());
  return faulty.count();
}

/**
 * Runs in an empty folder with operation `at` failing, says it in words, and ends well the next time. Returns whether
 * there was such an operation.
 */
export async function survives(
  root: string,
  kind: FaultKind,
  at: number,
  expected: Record<string, string>,
): Promise<boolean> {
  const faulty = failingFs(kind, at);
  const first = await runPipeline((await kitAt(root, { fs: faulty.fs })).options())
    .then(({ error }) => error, (error) => error);
  if (first !== undefined) {
    assert(first instanceof TemperError, `${first?.stack ?? first}`);
    assert.equal(first.code, CODES[kind], first.message);
  }
  const kit: Kit = await kitAt(root);
  const { state, dir } = await runPipeline(kit.options());
  assert.equal(state.state, "done");
  assert.deepEqual(await outputsOf(dir), expected);
  assert.equal((await jobsOf(kit)).length, 1);
  return faulty.count() >= at;
}
