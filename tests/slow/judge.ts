import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { PYTHON, ROOT } from "../e2e/kit.ts";

export interface Judgement {
  readonly rows: number;
  /** What the trainer computed its answers in. */
  readonly dtype: string;
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
  const found = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
  const { environment } = JSON.parse(await Deno.readTextFile(join(runDir, "job", "result.json")));
  return { ...found, dtype: environment.dtype };
}

/**
 * Nats between the trainer's token and the best other one where 16 bits may tip an answer. llama.cpp rounds what enters
 * each product, so a change of 1e-6 anywhere moves log-probabilities by 0.01 to 0.02 (measured): an answer that stands
 * nearer than that is not the file's to decide. A trainer that answers in bf16 rounds all it computes to 8 bits (0.07
 * measured). Two rows of a prefix swapped in the file made it 3.7 to 9.9 on every row.
 */
const EDGE: Readonly<Record<string, number>> = { fp32: 0.05, bf16: 0.2 };
/** Rows that may lie on such an edge: none or one where this was written, but which ones do depends on the machine. */
export const ON_EDGE: Readonly<Record<string, number>> = { fp32: 2, bf16: 3 };

/** Throws unless a 16-bit file answers as the trainer does. Returns the share of rows that rounding has tipped. */
export function assertAsTrained(found: Judgement): number {
  const edges = Object.values(found.edges);
  const edge = EDGE[found.dtype]!;
  assert.ok(edges.every((nats) => nats <= edge), `what is served is not what was trained: ${edges}`);
  assert.ok(edges.length <= ON_EDGE[found.dtype]!, `${edges.length} answers differ`);
  return edges.length / found.rows;
}
