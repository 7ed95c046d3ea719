// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * Two workers with a core each next to one worker with one core: the same long rows, base and LoRA, taking turns.
 * Exit 1 when two are less than BOUND times as fast.
 *
 *     deno task bench:workers [ROUNDS]
 */
import { join } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { denoFs } from "../src/lib/files/fs.ts";
import { listRuns } from "../src/log/read_run.ts";

const BOUND = 1.6;
const STEPS = 5;
const [rounds = 1] = Deno.args.map(Number);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, ".temper");

/** Rows of about 300 to 900 tokens. */
function rows(count: number): string {
  const words = [
    "the lamp in the hall",
    "a heater in the attic",
    "blinds of the kitchen",
    "every door downstairs",
  ];
  return Array.from({ length: count }, (_, row) => {
    const sentences = Array.from(
      { length: 30 + (row * 37) % 61 },
      (_, n) => `${words[(row + n) % 4]} number ${n}`,
    );
    return JSON.stringify({ prompt: `Row ${row}: repeat`, completion: sentences.join(", ") });
  }).join("\n") + "\n";
}

async function pipeline(dir: string, workers: number): Promise<string> {
  const file = join(dir, `workers-${workers}.yaml`);
  const spec = {
    version: 1,
    name: `workers-${workers}`,
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora" },
    train: { batch_size: 8, max_steps: STEPS, epochs: 1 },
    evaluate: { metric: "none" },
    provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
    engine: { kind: "local", workers_per_node: workers },
  };
  await denoFs.writeAtomic(file, JSON.stringify(spec));
  return file;
}

/** Tokens a second in the median step; the first one warms up. */
async function speed(dir: string, workers: number, round: number): Promise<number> {
  const runs = join(dir, `runs-${workers}-${round}`);
  const file = await pipeline(dir, workers);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(ROOT, "cli.ts"), "run", file, "--runs", runs, "--cache", CACHE],
    env: { OMP_NUM_THREADS: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot measure ${workers} workers: ${new TextDecoder().decode(stderr)}`);
  const [run] = await listRuns(denoFs, runs);
  const lines = (await denoFs.readText(join(run!.dir, "job", "metrics.jsonl"))).trim().split("\n");
  const speeds = lines.map((line) =>
    JSON.parse(line) as { type: string; step: number; tokens_per_second: number }
  )
    .filter(({ type, step }) => type === "train" && step > 1)
    .map((step) => step.tokens_per_second)
    .sort((a, b) => a - b);
  return speeds[Math.floor(speeds.length / 2)]!;
}

const dir = await Deno.makeTempDir({ prefix: "bench-workers-" });
try {
  await denoFs.writeAtomic(join(dir, "rows.jsonl"), rows(8 * STEPS));
  const sums = { 1: 0, 2: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const workers of [1, 2] as const) sums[workers] += await speed(dir, workers, round) / rounds;
  }
  for (const workers of [1, 2] as const) {
    console.log(`${workers} on as many cores: ${sums[workers].toFixed(1)} tokens/s`);
  }
  const ratio = sums[2] / sums[1];
  console.log(`tokens/s ratio ${ratio.toFixed(2)}, bound ${BOUND}: ${ratio >= BOUND ? "ok" : "under"}`);
  Deno.exitCode = ratio >= BOUND ? 0 : 1;
} finally {
  await Deno.remove(dir, { recursive: true });
}
