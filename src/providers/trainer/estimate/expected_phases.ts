import { TemperError } from "../../../lib/errors.ts";
import { explainSystemError } from "../../../lib/system_error.ts";
import type { MonitorWork, Progress } from "../../provider.ts";
import { describeBase } from "../base/describe.ts";
import { trainingSpec } from "../job/job.ts";
import { readTokens } from "../job/trainer_files.ts";
import { countedTokens } from "../preview.ts";
import { storedBytes, trainingCosts } from "./training_costs.ts";

/** Loading: what the trainer's process takes to start and to import its packages, and weights that are read a second. */
const LOAD = { seconds: 4, bytesPerSecond: 200e6 };
/** Export: what is made beside the weights, and weights that are converted, written and checked a second. */
const EXPORT = { seconds: 2, bytesPerSecond: 50e6 };

/** How long each phase of the training should take; undefined where the base's shape or the device's speed is unknown. */
export async function expectedPhases(work: MonitorWork): Promise<Progress["expected"]> {
  const { loaded, configured, fs } = work;
  const spec = trainingSpec(loaded.spec);
  try {
    const base = await describeBase(loaded, work);
    if (base.shape === null) return undefined;
    const tokens = await readTokens(configured, fs);
    const shaped = { ...base, shape: base.shape };
    const { costs, device } = await trainingCosts(
      spec,
      work,
      shaped,
      countedTokens(tokens),
      tokens.train.rows,
    );
    if (!costs.time || !device.speed) return undefined;
    const { before, few_shot: fewShot } = spec.evaluate;
    const baselines = (before ? 1 : 0) + (fewShot ? 1 : 0);
    const evaluation = costs.time.evaluate / (1 + baselines);
    const { weights, gguf } = costs.artifacts;
    const here = spec.engine.kind === "local" && (work.asked?.sideBySide ?? 1) === 1;
    return {
      seconds: {
        load: LOAD.seconds + base.shape.parameters * storedBytes(base) / LOAD.bytesPerSecond,
        baseline: baselines * evaluation,
        train: costs.time.train,
        evaluate: evaluation,
        export: EXPORT.seconds + (weights + (spec.provider.export.gguf ? gguf : 0)) / EXPORT.bytesPerSecond,
      },
      measured: here && device.speed.measured,
    };
  } catch (error) {
    // It is only what is shown beside the training, which goes on without it.
    const known = explainSystemError("Cannot estimate the training", error);
    if (known instanceof TemperError || error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
