import type { Training } from "../../../engines/engine.ts";
import type { Work } from "../../provider.ts";
import { trainerEnv } from "../environment/child_env.ts";
import { ensurePython } from "../environment/environment.ts";
import { threadShare } from "../environment/probe.ts";
import { trainerArgs } from "../environment/trainer_dir.ts";
import { trainingSpec } from "./job.ts";
import { jobDir } from "./job_folder.ts";

/** The run's training, for its engine. Installs the environment when a worker is about to be started. */
export function engineTraining(work: Work, trainerDir: string): Training {
  const { loaded, runDir, runId: run } = work;
  const { engine: section } = trainingSpec(loaded.spec);
  const dir = jobDir(runDir);
  return {
    dir,
    run,
    section,
    from: loaded.dir,
    async command() {
      const program = section.kind !== "local" && section.python !== undefined
        ? section.python
        : await ensurePython({
          env: work,
          trainerDir,
          progress: (progress) => work.progress(progress),
          signal: work.signal,
        });
      const share = section.kind === "local" ? await threadShare(work, program, trainerDir) : {};
      const env = { ...trainerEnv(work.env, trainerDir), ...share };
      return { program, args: await trainerArgs("train", dir, work), env };
    },
  };
}
