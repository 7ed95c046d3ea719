import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { TemperError } from "../../../lib/errors.ts";
import { tailOf } from "../../../lib/files/last_lines.ts";
import { parseJson } from "../../../lib/json/json_file.ts";
import { endText, runProcess } from "../../../lib/process.ts";
import type { Work } from "../../provider.ts";
import { trainerEnv } from "../environment/child_env.ts";
import { ensurePython } from "../environment/environment.ts";
import { jobDir } from "../job/job_folder.ts";

const Verdict = z.object({
  version: z.literal(1),
  rows: z.int(),
  score: z.number(),
  right: z.array(z.boolean()),
});
export type Verdict = z.infer<typeof Verdict>;

/** A finished job, and an empty folder to work in. */
export type JudgeWork = Omit<Work, "loaded" | "key" | "runId" | "records" | "record">;

/**
 * Has the trainer judge answers of another program to the eval rows, in their order: by the same code as its own, so
 * that the scores can be compared.
 */
export async function judgeAnswers(
  work: JudgeWork,
  answers: readonly string[],
  trainerDir: string,
): Promise<Verdict> {
  const { fs, out, runDir, signal } = work;
  const python = await ensurePython({
    env: work,
    trainerDir,
    progress: (progress) => work.progress(progress),
    signal,
  });
  const [given, log] = [join(out, "answers.jsonl"), join(out, "judge.log")];
  await fs.writeAtomic(
    given,
    answers.map((answer, row) => JSON.stringify({ row, answer }) + "\n").join(""),
  );
  const lines: string[] = [];
  const end = await runProcess({
    command: python,
    args: ["-m", "temper_trainer", "judge", jobDir(runDir), given],
    env: trainerEnv(work.env, trainerDir),
    cwd: out,
    log,
    signal,
    onLine: (line) => lines.push(line),
  });
  if (end.code !== 0) {
    const message = `Cannot judge the served answers: the trainer ${endText(end)}${await tailOf(log, fs)}`;
    throw new TemperError("trainer-failed", message);
  }
  await Promise.all([fs.remove(given), fs.remove(log)]);
  return parseJson(lines.at(-1) ?? "null", Verdict, "the trainer's verdict on the served answers", {
    code: "trainer-failed",
    hint: "Run the same command again",
  });
}
