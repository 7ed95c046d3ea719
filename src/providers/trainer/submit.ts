import type { JsonObject } from "../../lib/json/json.ts";
import type { JobRef, SubmitWork } from "../provider.ts";
import { refuseSmallDisk } from "./job/disk_check.ts";
import { engineNamed } from "../../engines/registry.ts";
import { engineTraining } from "./job/engine_training.ts";
import { adoptTraining, buildJobFolder, completeJobFolder, jobDir } from "./job/job_folder.ts";
import { shapeOf } from "./estimate/model_shape.ts";
import { readResult, readTokens } from "./job/trainer_files.ts";

/**
 * Starts the run's trainer, unless the job is known already: committed by this run, finished, or at work because a
 * runner was killed between starting it and saying so. What was interrupted on the way, monitor starts again.
 */
export async function submitTraining(
  work: SubmitWork,
  kind: string,
  trainerDir: string,
  delivery: JsonObject,
): Promise<JobRef> {
  const dir = jobDir(work.runDir);
  await build(work, dir, delivery);
  if (work.job) return work.job;
  const training = engineTraining(work, trainerDir);
  const engine = await engineNamed(training.section.kind);
  const known = await engine.find(training, work) ??
    (await readResult(dir, work.fs) === undefined ? undefined : {});
  if (!known) await refuseSmallDisk(work, shapeOf(await readTokens(work.configured, work.fs)));
  const job: JobRef = {
    provider: kind,
    ...known ?? await engine.submit(training, work),
    started: new Date(work.clock.now()).toISOString(),
  };
  await work.submitted(job);
  return job;
}

async function build(work: SubmitWork, dir: string, delivery: JsonObject): Promise<void> {
  const { configured, fs } = work;
  if (!await buildJobFolder(configured, dir, fs)) return;
  const adopted = await adoptTraining(work, delivery);
  await completeJobFolder(configured, dir, fs);
  if (!adopted) return;
  const { step, run } = adopted;
  const message = step === undefined
    ? `Adopting the training of run ${run}, which has the same job`
    : `Resuming from step ${step} of run ${run}, which has the same job and did not finish`;
  work.progress({ phase: "submit", message });
}
