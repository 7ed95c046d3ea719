import { TemperError } from "../../../lib/errors.ts";
import { explainSystemError } from "../../../lib/system_error.ts";
import type { MonitorWork, Progress } from "../../provider.ts";
import { describeBase } from "../base/describe.ts";
import { trainingSpec } from "../job/job.ts";
import { readTokens } from "../job/trainer_files.ts";
import { countedTokens } from "../preview.ts";
import { storedBytes, trainingCosts } from "./training_costs.ts";

/** What the trainer's process takes to start and to import its packages. */
const START_SECONDS = 4;
/** Weights that are read or written a second, with their check. Assumed. */
const BYTES_PER_SECOND = 200e6;

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
        load: START_SECONDS + base.shape.parameters * storedBytes(base) / BYTES_PER_SECOND,
        baseline: baselines * evaluation,
        train: costs.time.train,
        evaluate: evaluation,
        export: (weights + (spec.provider.export.gguf ? gguf : 0)) / BYTES_PER_SECOND,
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
