// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * What `plan` predicts, next to what runs measured. First peak memory by base, method, type and tokens at once, from
 * short trainings; then memory, time and GGUF size of the five demo pipelines. Runs of the demo that are done and of
 * the same plan are used, others are made. Exit 1 when a predicted peak is farther than BOUND from the measured one.
 *
 *     deno task bench:estimate [RUNS [memory|demo]]
 */
import { join, resolve } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/lib/clock.ts";
import { bytes, duration } from "../src/lib/text/format.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { run } from "../src/library/run.ts";
import type { Env, Estimate } from "../src/providers/provider.ts";
import { ensurePython } from "../src/providers/trainer/environment/environment.ts";
import { providerFor } from "../src/providers/registry.ts";
import { latestRun } from "../src/run/latest_run.ts";
import { loadSpecOrThrow } from "../src/spec/load.ts";
import { dataSize } from "../src/steps/data_size.ts";
import { STEPS } from "../src/steps/registry.ts";
import { table } from "../src/ui/table.ts";

const BOUND = 0.15;
const METHODS = ["full", "lora", "qlora", "prefix", "adapter"] as const;
const TYPES = ["fp32", "bf16"] as const;
/** Rows of a training step, and the tokens that the template adds to each. */
const ROWS = 4;
const TEMPLATE_TOKENS = 20;
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const runsDir = resolve(Deno.args[0] ?? join(ROOT, "runs"));
const env: Env = {
  fs: denoFs,
  clock: systemClock,
  cacheDir: join(ROOT, ".temper"),
  env: Deno.env.toObject(),
};

interface Sizes {
  readonly memory: number;
  readonly seconds: number;
  readonly gguf: number;
}

/** Trainings whose memory is measured: by method on the builtin, and by tokens; a larger base where it fits. */
async function* cases(dir: string) {
  const builtin = "builtin:smollm2-135m-instruct";
  for (const method of METHODS) for (const tokens of [512, 4096]) yield { base: builtin, method, tokens };
  for (const tokens of [128, 2048]) yield { base: builtin, method: "lora", tokens };
  const larger = join(dir, "410m");
  const signal = new AbortController().signal;
  const python = await ensurePython({ env, trainerDir: join(ROOT, "trainer"), progress: () => {}, signal });
  const args = [join(ROOT, "trainer/bench/random_base.py"), larger];
  const { success } = await new Deno.Command(python, { args, stderr: "null" }).output();
  if (!success) throw new Error("Cannot make a random base");
  for (const method of ["lora", "qlora"]) {
    for (const tokens of [512, 2048]) yield { base: larger, method, tokens };
  }
}

async function compareMemory(): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "bench-estimate-" });
  const rows: { text: string }[][] = [];
  let worst = 0;
  try {
    for await (const { base, method, tokens } of cases(dir)) {
      for (const dtype of TYPES) {
        const { predicted, measured } = await shortTraining(dir, base, method, tokens, dtype);
        worst = Math.max(worst, Math.abs(predicted / measured - 1));
        const name = base.split(/[/:]/).at(-1)!;
        rows.push([
          ...[name, method, dtype, String(tokens)].map((text) => ({ text })),
          ...cells(predicted, measured, bytes),
        ]);
        console.error(rows.at(-1)!.map(({ text }) => text).join("  "));
      }
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  const titles = ["base", "method", "type", "tokens at once", "predicted", "measured", "error"];
  console.log(table(titles.map((title) => ({ title })), rows, 0).join("\n"));
  return worst;
}

/** Peak memory of three steps, and what configure predicted for them. */
async function shortTraining(dir: string, base: string, method: string, tokens: number, dtype: string) {
  const words = Array(Math.max(1, Math.round((tokens / ROWS - TEMPLATE_TOKENS) / 2))).fill("lamp").join(" ");
  const lines = Array.from({ length: 2 * ROWS }, (_, i) => ({ prompt: `${i} ${words}`, completion: words }));
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  await Deno.writeTextFile(join(dir, "rows.jsonl"), text);
  const pipeline = {
    version: 1,
    name: "estimate",
    dataset: { source: "rows.jsonl", checks: { duplicates: "off" } },
    method: { kind: method },
    train: { dtype, max_steps: 3, batch_size: ROWS, micro_tokens: tokens, max_length: tokens, device: "cpu" },
    evaluate: { metric: "none", before: false },
    provider: { kind: "local", base, export: { gguf: false } },
  };
  // JSON is YAML.
  await Deno.writeTextFile(join(dir, "pipeline.yaml"), JSON.stringify(pipeline));
  const runs = join(dir, "runs");
  const { id, error } = await run(join(dir, "pipeline.yaml"), { runsDir: runs, cacheDir: env.cacheDir });
  if (error) throw error;
  const { estimates } = JSON.parse(await denoFs.readText(join(runs, id, "steps/3-configure/estimates.json")));
  const { memory } = await measured(join(runs, id));
  await Deno.remove(join(runs, id), { recursive: true });
  return { predicted: figureOf(estimates, "peak memory", "total"), measured: memory };
}

/** The finished run of a pipeline, made when there is none. */
async function finishedRun(method: string): Promise<string> {
  const file = join(ROOT, "pipelines", `${method}.yaml`);
  const find = async () => await latestRun(await loadSpecOrThrow(file, denoFs), STEPS, env, runsDir);
  const before = await find();
  if (before?.state === "done") return join(runsDir, before.id);
  console.error(`running ${method}`);
  const args = ["run", "-A", join(ROOT, "cli.ts"), "run", file, "--runs", runsDir, "--cache", env.cacheDir];
  const { success } = await new Deno.Command(Deno.execPath(), { args, stdout: "null" }).spawn().status;
  const after = success ? await find() : undefined;
  if (after?.state !== "done") throw new Error(`Cannot measure ${method}: its run failed`);
  return join(runsDir, after.id);
}

async function measured(dir: string): Promise<Sizes> {
  const result = JSON.parse(await denoFs.readText(join(dir, "job", "result.json")));
  const gguf = result.artifacts.find(({ kind }: { kind: string }) => kind === "gguf");
  return { memory: result.resources.peak_rss, seconds: result.timing.train, gguf: gguf?.bytes };
}

/** What `plan` says, with the tokens that configure counted. */
async function predicted(method: string, dir: string): Promise<Sizes> {
  const loaded = await loadSpecOrThrow(join(ROOT, "pipelines", `${method}.yaml`), denoFs);
  const data = await dataSize(loaded, denoFs, { fs: denoFs, dir: join(dir, "steps", "2-format") });
  const provider = await providerFor(loaded.spec.provider.kind, {});
  const { estimates } = await provider.preview(loaded, env, data, join(dir, "job"));
  return {
    memory: figureOf(estimates, "peak memory", "total"),
    seconds: figureOf(estimates, "time", "train_seconds"),
    gguf: figureOf(estimates, "artifacts", "gguf"),
  };
}

function figureOf(estimates: readonly Estimate[], name: string, key: string): number {
  const found = Number(estimates.find((estimate) => estimate.name === name)?.figures[key]);
  if (!Number.isFinite(found)) throw new Error(`Cannot compare: plan predicts no ${name}`);
  return found;
}

function cells(was: number, is: number, write: (n: number) => string): { text: string }[] {
  const error = was / is - 1;
  return [{ text: write(was) }, { text: write(is) }, {
    text: `${error < 0 ? "−" : "+"}${Math.abs(error * 100).toFixed(1)}%`,
  }];
}

async function compareDemo(): Promise<number> {
  const rows = [];
  let worst = 0;
  for (const method of METHODS) {
    const dir = await finishedRun(method);
    const [is, was] = [await measured(dir), await predicted(method, dir)];
    worst = Math.max(worst, Math.abs(was.memory / is.memory - 1));
    rows.push([
      { text: method },
      ...cells(was.memory, is.memory, bytes),
      ...cells(was.seconds * 1000, is.seconds * 1000, duration),
      ...cells(was.gguf, is.gguf, bytes),
    ]);
  }
  const titles = ["peak memory", "training", "GGUF"].flatMap((
    name,
  ) => [`${name}: predicted`, "measured", "error"]);
  const columns = [{ title: "method" }, ...titles.map((title) => ({ title, align: "right" as const }))];
  console.log(`\n${table(columns, rows, 0).join("\n")}`);
  return worst;
}

const only = Deno.args[1];
const worst = Math.max(
  only === "demo" ? 0 : await compareMemory(),
  only === "memory" ? 0 : await compareDemo(),
);
console.log(`\nLargest error of peak memory: ${(worst * 100).toFixed(1)}% (bound ${BOUND * 100}%)`);
if (worst > BOUND) Deno.exit(1);
