import type { JsonObject } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env, JobResult, MonitorWork, Provider } from "../provider.ts";
import { configureTraining, trainingInputs } from "./configure.ts";
import { cancelJob, jobDir, markDelivered } from "./job/job_folder.ts";
import type { SentTools } from "./job/examples.ts";
import { followTraining, type MonitorOptions } from "./monitor.ts";
import { trainingPreview } from "./preview.ts";
import { jobResult, keepResult, rememberSpeed } from "./follow/job_result.ts";
import { submitTraining } from "./submit.ts";
import { ownTrainerDir } from "./environment/trainer_dir.ts";

export interface TrainingOptions extends Partial<MonitorOptions> {
  readonly kind: string;
  /** How the server that serves the result passes tools on. @default as they are */
  readonly sent?: SentTools;
  /** What `finish` depends on, besides the job. @default nothing */
  readonly delivery?: (loaded: LoadedSpec, env: Env) => JsonObject;
  /** What becomes of a finished training. @default nothing more */
  readonly finish?: (work: MonitorWork, result: JobResult) => Promise<JobResult>;
}

/** A provider whose jobs are trained on this machine. */
export function trainingProvider(options: TrainingOptions): Provider {
  const { kind, trainerDir = ownTrainerDir(), delivery = () => ({}), sent } = options;
  const finish = options.finish ?? ((_, result) => Promise.resolve(result));
  return {
    kind,
    inputs: (loaded, env) => trainingInputs(loaded, env, trainerDir, sent),
    preview: trainingPreview,
    configure: (work) => configureTraining(work, trainerDir, sent),
    delivery,
    submit: (work) => submitTraining(work, kind, trainerDir, delivery(work.loaded, work)),
    async monitor(work) {
      const done = await followTraining(work, { ...options, trainerDir });
      await rememberSpeed(work, done);
      const result = await finish(work, jobResult(done));
      await keepResult(work, result);
      await markDelivered(jobDir(work.runDir), delivery(work.loaded, work), work.fs);
      return result;
    },
    cancel: cancelJob,
  };
}
