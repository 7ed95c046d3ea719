import { dirname } from "../../deps/path.ts";
import type { JsonObject } from "../../lib/json/json.ts";
import type { LoadedSpec } from "../../spec/load.ts";
import type { Env, JobResult, MonitorWork, Provider, Work } from "../provider.ts";
import { trainingInputs } from "./inputs.ts";
import type { SentTools } from "./job/examples.ts";
import type { MonitorOptions } from "./monitor.ts";
import { trainingPreview } from "./preview.ts";
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

/** A provider whose jobs are trained on this machine. What only a run does is loaded when it does it. */
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
    async settings(loaded, env) {
      const [{ describeBase }, { trainingSettings }] = await Promise.all([
        import("./base/describe.ts"),
        import("./estimate/settings.ts"),
      ]);
      return trainingSettings(loaded, await describeBase(loaded, env));
    },
    inputs: (loaded, env) => trainingInputs(loaded, env, trainerOf(options, env), sent),
    async preview(loaded, env, data, configured) {
      const trainer = trainerOf(options, env);
      const preview = await trainingPreview(loaded, env, data, configured);
      const environment = await environmentEstimate(trainer, env);
      const sent = loaded.spec.engine.kind === "local"
        ? undefined
        : await (await import("./job/engine_training.ts"))
          .sentText(loaded, env, dirname(trainer.place(LOCK_FILE)));
      return {
        ...preview,
        ...environment && { estimates: [...preview.estimates, environment] },
        ...sent !== undefined && { sent },
      };
    },
    async configure(given) {
      const warn = (message: string) => given.progress({ phase: "cache", message });
      const { work, trainerDir } = await placed(given, warn);
      const { configureTraining } = await import("./configure.ts");
      return await configureTraining(work, trainerDir, sent);
    },
    delivery,
    async submit(given) {
      const { work, trainerDir } = await placed(given);
      const { submitTraining } = await import("./submit.ts");
      return await submitTraining(work, kind, trainerDir, delivery(work.loaded, work));
    },
    async monitor(given) {
      const { work, trainerDir } = await placed(given);
      const [{ followTraining }, { jobResult, keepResult, rememberMachine }, { jobDir, markDelivered }] =
        await Promise.all([
          import("./monitor.ts"),
          import("./follow/job_result.ts"),
          import("./job/job_folder.ts"),
        ]);
      const done = await followTraining(work, { ...options, trainerDir });
      // What a cluster can do says nothing about this machine.
      if (work.job["engine"] === undefined) await rememberMachine(work, done);
      const result = await finish(work, jobResult(done));
      await keepResult(work, result);
      await markDelivered(jobDir(work.runDir), delivery(work.loaded, work), work.fs);
      return result;
    },
    async cancel(job, runDir, env) {
      const { cancelJob } = await import("./job/job_folder.ts");
      await cancelJob(job, runDir, env);
    },
  };
}

/** The trainer that was given, or the one that comes with this program. */
export function trainerOf(
  { trainerDir }: Pick<TrainingOptions, "trainerDir">,
  { fs }: Pick<Env, "fs">,
): Trainer {
  return trainerDir === undefined ? ownTrainer(fs) : folderTrainer(trainerDir, fs);
}
