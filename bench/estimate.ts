// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * What `plan` predicts for the demo by each method, next to what a run of it measured: peak memory, training time,
 * size of the GGUF file. Runs in the folder are used where they are done and of the same plan; others are made.
 * Exit 1 when a predicted peak is farther than BOUND from the measured one.
 *
 *     deno task bench:estimate [RUNS]
 */
import { join, resolve } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/lib/clock.ts";
import { bytes, duration } from "../src/lib/text/format.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import type { Env } from "../src/providers/provider.ts";
import { providerFor } from "../src/providers/registry.ts";
import { latestRun } from "../src/run/latest_run.ts";
import { loadSpecOrThrow } from "../src/spec/load.ts";
import { dataSize } from "../src/steps/data_size.ts";
import { STEPS } from "../src/steps/registry.ts";
import { table } from "../src/ui/table.ts";

const BOUND = 0.25;
const METHODS = ["full", "lora", "qlora", "prefix", "adapter"] as const;
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
  return { memory: result.resources.peak_rss, seconds: result.timing.train, gguf: gguf.bytes };
}

/** What `plan` says, with the tokens that configure counted. */
async function predicted(method: string, dir: string): Promise<Sizes> {
  const loaded = await loadSpecOrThrow(join(ROOT, "pipelines", `${method}.yaml`), denoFs);
  const data = await dataSize(loaded, denoFs, join(dir, "steps", "2-format"));
  const provider = await providerFor(loaded.spec.provider.kind);
  const { estimates } = await provider.preview(loaded, env, data, join(dir, "job"));
  const figure = (name: string, key: string) =>
    Number(estimates.find((estimate) => estimate.name === name)?.figures[key]);
  return {
    memory: figure("peak memory", "total"),
    seconds: figure("time", "train_seconds"),
    gguf: figure("artifacts", "gguf"),
  };
}

function cells(was: number, is: number, write: (n: number) => string): { text: string }[] {
  const error = was / is - 1;
  return [{ text: write(was) }, { text: write(is) }, {
    text: `${error < 0 ? "−" : "+"}${Math.abs(error * 100).toFixed(1)}%`,
  }];
}

const rows = [];
let worst = 0;
for (const method of METHODS) {
  const dir = await finishedRun(method);
  const [is, was] = [await measured(dir), await predicted(method, dir)];
  if (!Number.isFinite(was.memory)) throw new Error(`Cannot compare ${method}: plan predicts no memory`);
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
console.log(table(columns, rows, 0).join("\n"));
console.log(`\nLargest error of peak memory: ${(worst * 100).toFixed(1)}% (bound ${BOUND * 100}%)`);
if (worst > BOUND) Deno.exit(1);
