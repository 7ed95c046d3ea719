import type { Project } from "../commands/run_kit.ts";
import { GOOD, good } from "../spec/kit.ts";

/** A pipeline without a mistake, with its data. */
export async function writePipeline(home: Project, path: string): Promise<void> {
  await home.write("rows.jsonl", '{"command":"a","action":"b"}\n');
  await home.write("held.jsonl", '{"command":"c","action":"d"}\n');
  await home.write(path, GOOD);
}

export const FIVE_MISTAKES = good("source: rows.jsonl", "source: row.jsonl")
  .replace("rank: 8", "rank: eight\n  limt: 3")
  .replace("metric: exact_match", "metric: regex")
  .replace("quantization: q8_0", "quantization: q8");

export const MATRIX = good("kind: ollama", "kind: local").replace("  model: home-lora\n", "") +
  "matrix:\n  method.rank: [4, 8]\n";
