import { dirname, join } from "../deps/path.ts";
import { InterruptedError, TemperError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { keyOf } from "../plan/key.ts";
import type { JobRef } from "../providers/provider.ts";
import type { Output } from "../log/events.ts";
import type { StepContext, StepKind, StepOutcome } from "../steps/step.ts";
import { storeCached } from "./cache.ts";
import { type ActiveRun, type ActiveStep, decide, note, stateOf } from "./active_run.ts";
import { ATTEMPTS, stepDir } from "./run_folder.ts";
import { replaceDir, seal } from "./outputs.ts";
import { ProgressThrottle } from "./progress_throttle.ts";

/** Runs a step once, in this attempt's own folder: intent, effect, commit. Throws what the step throws. */
export async function attempt(run: ActiveRun, driven: ActiveStep): Promise<void> {
  const { fs } = run.env;
  const { step, planned, dir } = driven;
  const number = stateOf(run, step.kind).attempt + 1;
  const attempts = join(run.dir, ATTEMPTS, step.kind);
  const out = join(attempts, String(number));
  await decide(run, { type: "step.started", step: step.kind, key: planned.key, attempt: number });
  await fs.remove(out);
  await fs.mkdirp(out);
  const { summary, result } = await runStep(run, driven, out);
  await refuseChangedInputs(run, driven);
  const outputs = await seal(fs, out);
  await replaceDir(fs, out, dir);
  if (planned.cached) await store(run, driven, { summary, ...result && { result } }, outputs);
  await fs.remove(attempts);
  await decide(run, {
    type: "step.done",
    step: step.kind,
    attempt: number,
    outputs,
    summary,
    ...result && { result },
  });
}

async function runStep(run: ActiveRun, { step, planned }: ActiveStep, out: string): Promise<StepOutcome> {
  let over = false;
  const throttle = new ProgressThrottle(run.env.clock, (progress) => {
    // An abandoned step may still report progress, but must not write to the log any more.
    if (!over) note(run, { type: "step.progress", step: step.kind, ...progress });
  });
  const context: StepContext = {
    ...run.env,
    loaded: run.loaded,
    key: planned.key,
    runId: run.id,
    runDir: run.dir,
    out,
    signal: run.control.signal,
    job: run.log.state.job as JobRef | undefined,
    progress: (progress) => throttle.push(progress),
    records: stateOf(run, step.kind).records as readonly JsonObject[],
    async record(record, progress) {
      // Nothing may follow from a fact that was not written down.
      if (over) throw new InterruptedError(`Cannot go on with step "${step.kind}": its attempt is over`);
      await decide(run, { type: "step.progress", step: step.kind, ...progress, record });
    },
    submitted: (job) => decide(run, { type: "step.submitted", step: step.kind, job }),
    input: (kind) => inputDir(run, kind),
  };
  run.control.signal.throwIfAborted();
  try {
    return await run.control.withPatience(step.run(context));
  } finally {
    throttle.flush();
    over = true;
  }
}

function inputDir(run: ActiveRun, kind: StepKind): string {
  const index = run.steps.findIndex((step) => step.kind === kind);
  if (index === -1) throw new RangeError(`Cannot find the output of step "${kind}": there is no such step`);
  return stepDir(run.dir, index, kind);
}

/** Outputs must not be kept under the key of inputs that were replaced while they were read. */
async function refuseChangedInputs(run: ActiveRun, { step, planned }: ActiveStep): Promise<void> {
  if (!planned.cached) return;
  const inputs = await step.inputs(run.loaded, run.env);
  if (keyOf({ ...planned.parts, inputs }) === planned.key) return;
  throw new TemperError(
    "inputs-changed",
    `Cannot finish step "${step.kind}": its inputs changed while it ran`,
    {
      hint: "Run the same command again once nothing is changing them",
    },
  );
}

/** A cache that cannot be written costs time at the next run, not this run. */
async function store(
  run: ActiveRun,
  { step, planned, dir }: ActiveStep,
  outcome: StepOutcome,
  outputs: readonly Output[],
): Promise<void> {
  const { key, parts } = planned;
  try {
    await storeCached(run.env, { key, step: step.kind, parts, run: run.id, outputs, ...outcome }, dir);
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    const cache = dirname(join(run.env.cacheDir, "steps"));
    const message = `Cannot store the output of step "${step.kind}" in "${cache}": ${found}`;
    note(run, { type: "step.progress", step: step.kind, phase: "store", message });
  }
}
