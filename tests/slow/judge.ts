import { join } from "node:path";
import { PYTHON, ROOT } from "../e2e/kit.ts";

export interface Judgement {
  readonly rows: number;
  /** Rows that llama.cpp answers as the trainer did, and rightly. */
  readonly equal: number;
  readonly correct: number;
  /** Row that llama.cpp or Ollama answers otherwise → nats between the trainer's token and another at its weakest place. */
  readonly edges: Readonly<Record<string, number>>;
}

/** What llama.cpp makes of a finished run's model. */
export async function judged(runDir: string): Promise<Judgement> {
  const { stdout } = await new Deno.Command(PYTHON!, {
    args: [join(ROOT, "tests", "slow", "judge.py"), runDir],
    env: { PYTHONPATH: [Deno.env.get("TEMPER_TEST_LAYER")!, join(ROOT, "trainer", "tests")].join(":") },
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}
