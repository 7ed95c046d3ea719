import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { type LoadOptions, type LoadResult, loadSpec } from "../../src/spec/load.ts";
import type { Problem } from "../../src/spec/problem.ts";

/** A pipeline without a mistake; its files are made by `withFolder`. */
export const GOOD = `version: 1
name: home-lora
dataset:
  source: rows.jsonl
  format: columns
  columns: {system: "Home:", user: "{{ command }}", assistant: "{{ action }}"}
  eval: held.jsonl
method:
  kind: lora
  rank: 8
train: {epochs: 1, learning_rate: 2e-3}
evaluate: {metric: exact_match, before: true}
provider:
  kind: ollama
  base: builtin:smollm2-135m-instruct
  model: home-lora
  export: {quantization: q8_0}
`;

/** A temporary folder with the data that GOOD names. */
export async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "spec-" });
  try {
    await Deno.writeTextFile(join(dir, "rows.jsonl"), '{"command":"a","action":"b"}\n');
    await Deno.writeTextFile(join(dir, "held.jsonl"), '{"command":"c","action":"d"}\n');
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

export async function load(
  dir: string,
  text: string | Uint8Array,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const path = join(dir, "pipeline.yaml");
  await Deno.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text);
  return await loadSpec("pipeline.yaml", denoFs, { cwd: dir, ...options });
}

export async function problemsOf(
  dir: string,
  text: string | Uint8Array,
  options: LoadOptions = {},
): Promise<readonly Problem[]> {
  const result = await load(dir, text, options);
  return result.ok ? [] : result.problems;
}

/** What the carets stand under. */
export function marked({ source, start, end }: Problem): string {
  return source.text.slice(start, end);
}

/** GOOD with one change. */
export function good(from: string, to: string): string {
  if (!GOOD.includes(from)) throw new Error(`GOOD has no ${JSON.stringify(from)}`);
  return GOOD.replace(from, () => to);
}
