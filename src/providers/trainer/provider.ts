import { dirname } from "../../deps/path.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env, JobResult, MonitorWork, Provider, Work } from "../provider.ts";
import { describeBase } from "./base/describe.ts";
import { configureTraining, trainingInputs } from "./configure.ts";
import { sentText } from "./job/engine_training.ts";
import { cancelJob, jobDir, markDelivered } from "./job/job_folder.ts";
import type { SentTools } from "./job/examples.ts";
import { followTraining, type MonitorOptions } from "./monitor.ts";
import { trainingSettings } from "./estimate/settings.ts";
import { trainingPreview } from "./preview.ts";
import { jobResult, keepResult, rememberMachine } from "./follow/job_result.ts";
import { submitTraining } from "./submit.ts";
import { withWritableCache } from "../shared_dir.ts";
import { environmentEstimate } from "./environment/environment_estimate.ts";
import { folderTrainer, LOCK_FILE, ownTrainer, type Trainer } from "./environment/trainer_dir.ts";

export interface TrainingOptions extends Partial<MonitorOptions> {
  readonly kind: string;
  /** How the server that serves the result passes tools on. @default as they are */
  readonly sent?: SentTools;
  /** What `finish` depends on, besides the job. @default nothing */
  readonly delivery?: (loaded: LoadedSpec, env: Env) => JsonObject;
  /** What to do with a finished training. @default nothing */
  readonly finish?: (work: MonitorWork, result: JobResult) => Promise<JobResult>;
}

/** A provider whose jobs are trained on this machine. */
export function trainingProvider(options: TrainingOptions): Provider {
  const { kind, delivery = () => ({}), sent } = options;
  const finish = options.finish ?? ((_, result) => Promise.resolve(result));
  /** The same work where the caches can be written, and the folder of the trainer there. */
  const placed = async <W extends Work>(given: W, warn: (message: string) => void = () => {}) => {
    const work = await withWritableCache(given, warn);
    return { work, trainerDir: await trainerOf(options, work).dir(work) };
  };
  return {
    kind,
    settings: async (loaded, env) => trainingSettings(loaded, await describeBase(loaded, env)),
    inputs: (loaded, env) => trainingInputs(loaded, env, trainerOf(options, env), sent),
    async preview(loaded, env, data, configured) {
      const trainer = trainerOf(options, env);
      const preview = await trainingPreview(loaded, env, data, configured);
      const environment = await environmentEstimate(trainer, env);
      const sent = await sentText(loaded, env, dirname(trainer.place(LOCK_FILE)));
      return {
        ...preview,
        ...environment && { estimates: [...preview.estimates, environment] },
        ...sent !== undefined && { sent },
      };
    },
    async configure(given) {
      const warn = (message: string) => given.progress({ phase: "cache", message });
      const { work, trainerDir } = await placed(given, warn);
      return await configureTraining(work, trainerDir, sent);
    },
    delivery,
    async submit(given) {
      const { work, trainerDir } = await placed(given);
      return await submitTraining(work, kind, trainerDir, delivery(work.loaded, work));
    },
    async monitor(given) {
      const { work, trainerDir } = await placed(given);
      const done = await followTraining(work, { ...options, trainerDir });
      // What a cluster can do says nothing about this machine.
      if (work.job["engine"] === undefined) await rememberMachine(work, done);
      const result = await finish(work, jobResult(done));
      await keepResult(work, result);
      await markDelivered(jobDir(work.runDir), delivery(work.loaded, work), work.fs);
      return result;
    },
    cancel: cancelJob,
  };
}

/** The trainer that was given, or the one that comes with this program. */
export function trainerOf(
  { trainerDir }: Pick<TrainingOptions, "trainerDir">,
  { fs }: Pick<Env, "fs">,
): Trainer {
  return trainerDir === undefined ? ownTrainer(fs) : folderTrainer(trainerDir, fs);
}
