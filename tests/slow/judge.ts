import { join } from "node:path";
import { PYTHON, ROOT } from "../e2e/kit.ts";

/** What llama.cpp makes of a finished run's model: rows it answers as the trainer did, and rightly. */
export async function judged(
  runDir: string,
): Promise<{ readonly rows: number; readonly equal: number; readonly correct: number }> {
  const { stdout } = await new Deno.Command(PYTHON!, {
    args: [join(ROOT, "tests", "slow", "judge.py"), runDir],
    env: { PYTHONPATH: [Deno.env.get("TEMPER_TEST_LAYER")!, join(ROOT, "trainer", "tests")].join(":") },
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}
