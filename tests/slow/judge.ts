import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
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
    env: {
      PYTHONPATH: [Deno.env.get("TEMPER_TEST_LAYER")!, join(ROOT, "trainer"), join(ROOT, "trainer", "tests")]
        .join(":"),
    },
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

/**
 * Nats between the trainer's token and the best other one where 16 bits may tip an answer. llama.cpp rounds what enters
 * each product, so a change of 1e-6 anywhere moves log-probabilities by 0.01 to 0.02 (measured): an answer that stands
 * nearer than that is not the file's to decide. Two rows of a prefix swapped in the file made it 3.7 to 9.9 on every row.
 */
const EDGE = 0.05;
/** Rows of 60 that may lie on such an edge: none where this was written, but which ones do depends on the machine. */
const ON_EDGE = 2;

/** Throws unless a 16-bit file answers as the trainer does. Returns the share of rows that rounding has tipped. */
export function assertAsTrained(found: Judgement): number {
  const edges = Object.values(found.edges);
  assert.ok(edges.every((edge) => edge <= EDGE), `what is served is not what was trained: ${edges}`);
  assert.ok(edges.length <= ON_EDGE, `${edges.length} answers differ`);
  return edges.length / found.rows;
}
