import { join } from "../../../deps/path.ts";
import { EXIT, TemperError, UsageError } from "../../../lib/errors.ts";
import { tailOf } from "../../../lib/files/last_lines.ts";
import { endText, outOfMemoryHint, type ProcessEnd, runProcess } from "../../../lib/process.ts";
import type { ConfigureWork } from "../../provider.ts";
import { trainerEnv } from "../environment/child_env.ts";
import { threadShare } from "../environment/probe.ts";
import { failureError } from "./trainer_failure.ts";
import { prepareLine, readFailure, readTokens, type Tokens } from "./trainer_files.ts";
import { trainerArgs } from "../environment/trainer_dir.ts";

const ACTION = "Cannot prepare the job";

/** Runs the trainer's `prepare` on a job folder: base converted, examples as tokens. */
export async function runPrepare(work: ConfigureWork, python: string, trainerDir: string): Promise<Tokens> {
  const { out, fs, signal } = work;
  const log = join(out, "prepare.log");
  const end = await runProcess({
    command: python,
    args: await trainerArgs("prepare", out, work),
    env: { ...trainerEnv(work.env, trainerDir), ...await threadShare(work, python, trainerDir) },
    cwd: out,
    log,
    signal,
    onLine: (line) => {
      const said = prepareLine(line);
      if (!said) return;
      const { phase, done, total } = said;
      work.progress({
        phase,
        ...typeof done === "number" && { done },
        ...typeof total === "number" && { total },
      });
    },
  });
  if (end.code !== EXIT.ok) throw await failureOf(end, work, log);
  await fs.remove(log);
  return await readTokens(out, fs);
}

/**
 * Why `prepare` ended. One that was killed, as by the system when memory runs out, may get through another time, like
 * a training: the step is tried again in a folder of its own. One that failed would fail again.
 */
async function failureOf(end: ProcessEnd, { out, fs }: ConfigureWork, log: string): Promise<TemperError> {
  const failure = await readFailure(out, fs);
  if (failure) return failureError(failure, end.code);
  const message = `${ACTION}: the trainer ${endText(end)}${await tailOf(log, fs)}`;
  if (end.code === EXIT.usage) return new UsageError("trainer-failed", message);
  const hint = outOfMemoryHint(end, "close other programs, or use a smaller base");
  return new TemperError("trainer-failed", message, {
    ...hint !== undefined && { hint },
    transient: end.code !== EXIT.failed,
  });
}
