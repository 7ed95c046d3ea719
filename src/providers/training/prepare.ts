import { join } from "node:path";
import { EXIT, InterruptedError, TemperError, UsageError } from "../../lib/errors.ts";
import { tailOf } from "../../lib/log_tail.ts";
import { runProcess } from "../../lib/process.ts";
import type { ConfigureWork } from "../provider.ts";
import { trainerEnv } from "./child_env.ts";
import { endText, outOfMemoryHint } from "./process_end.ts";
import { failureError } from "./trainer_error.ts";
import { prepareLine, readFailure, readTokens, type Tokens } from "./trainer_files.ts";
import { trainerArgs } from "./trainer.ts";

const ACTION = "Cannot prepare the job";

/** Runs the trainer's `prepare` on a job folder: base converted, examples as tokens. */
export async function runPrepare(work: ConfigureWork, python: string, trainerDir: string): Promise<Tokens> {
  const { out, cacheDir, fs, signal } = work;
  const log = join(out, "prepare.log");
  const end = await runProcess({
    command: python,
    args: trainerArgs("prepare", out, cacheDir),
    env: trainerEnv(work.env, trainerDir),
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
  if (end.code !== EXIT.ok) {
    const failure = await readFailure(out, fs);
    if (failure) throw failureError(failure, end.code === EXIT.usage);
    if (end.code === EXIT.interrupted) throw new InterruptedError(`${ACTION}: it was stopped`);
    const message = `${ACTION}: the trainer ${endText(end)}${await tailOf(log, fs)}`;
    const hint = outOfMemoryHint(end);
    throw end.code === EXIT.usage
      ? new UsageError("trainer-failed", message)
      : new TemperError("trainer-failed", message, hint === undefined ? {} : { hint });
  }
  await fs.remove(log);
  return await readTokens(out, fs);
}
