import { join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import { type DetachedProcess, startDetached } from "../../../lib/process.ts";
import type { Work } from "../../provider.ts";
import { trainerEnv } from "../environment/child_env.ts";
import { ensurePython } from "../environment/environment.ts";
import { threadShare } from "../environment/probe.ts";
import { jobDir, LOG_FILE } from "./job_folder.ts";
import { trainerArgs } from "../environment/trainer_dir.ts";

/**
 * Starts a trainer on the run's job folder. It outlives this process. A second one is harmless: the lock in the job
 * folder turns it away.
 */
export async function startTrainer(work: Work, trainerDir: string): Promise<DetachedProcess> {
  const python = await ensurePython({
    env: work,
    trainerDir,
    progress: (progress) => work.progress(progress),
    signal: work.signal,
  });
  const dir = jobDir(work.runDir);
  try {
    return await startDetached({
      command: python,
      args: await trainerArgs("train", dir, work),
      env: { ...trainerEnv(work.env, trainerDir), ...await threadShare(work, python, trainerDir) },
      cwd: dir,
      log: join(dir, LOG_FILE),
    });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TemperError("trainer-failed", `Cannot start the trainer with "${python}": ${found}`, { cause });
  }
}
