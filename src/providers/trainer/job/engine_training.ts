import { resolve } from "../../../deps/path.ts";
import type { Training } from "../../../engines/engine.ts";
import { engineNamed } from "../../../engines/registry.ts";
import type { LoadedSpec } from "../../../spec/load.ts";
import type { Env, Work } from "../../provider.ts";
import { trainerEnv } from "../environment/child_env.ts";
import { ensurePython } from "../environment/environment.ts";
import { threadShare } from "../environment/probe.ts";
import { trainerArgs } from "../environment/trainer_dir.ts";
import { trainingSpec } from "./job.ts";
import { jobDir } from "./job_folder.ts";

/** The id of a run that has not been started. */
const RUN = "RUN";

/** What a pipeline's engine would be sent; `undefined` for a training on this machine. */
export async function sentText(
  loaded: LoadedSpec,
  env: Env,
  trainerDir: string,
): Promise<string | undefined> {
  const { engine: section } = trainingSpec(loaded.spec);
  const dir = jobDir(resolve("runs", RUN));
  const python = section.kind === "local" ? undefined : section.python;
  return await (await engineNamed(section.kind)).describe({
    dir,
    run: RUN,
    section,
    from: loaded.dir,
    command: async () => ({
      program: python ?? env.env["TEMPER_PYTHON"] ?? "PYTHON",
      args: await trainerArgs("train", dir, env),
      env: trainerEnv(env.env, trainerDir),
    }),
  }, env);
}

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
      const share = section.kind === "local"
        ? await threadShare(work, program, trainerDir, section.workers_per_node)
        : {};
      const env = { ...trainerEnv(work.env, trainerDir), ...share };
      return { program, args: await trainerArgs("train", dir, work), env };
    },
  };
}
