import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import { filesBelow } from "../../src/lib/files/folder.ts";
import type { JobRef } from "../../src/providers/provider.ts";
import type { DriveOptions } from "../../src/run/run_pipeline.ts";
import { Spec } from "../../src/spec/schema/schema.ts";
import type { LoadedSpec } from "../../src/spec/load.ts";
import type { Step, StepContext, StepKind } from "../../src/steps/step.ts";

/** Real steps over real files: small enough to be run hundreds of times. */
export interface Kit {
  readonly root: string;
  readonly runsDir: string;
  readonly cacheDir: string;
  /** The data the first step reads. */
  readonly data: string;
  /** One line for each time a step did its work, and each job that was started. */
  readonly effects: string;
  options(change?: Partial<DriveOptions>): DriveOptions;
}

export type Hooks = { readonly [kind in StepKind]?: (context: StepContext) => Promise<void> | void };

export interface KitOptions {
  readonly fs?: Fs;
  readonly clock?: Clock;
  readonly hooks?: Hooks;
  /** Milliseconds each step takes. */
  readonly pace?: number;
}

const NEVER = new AbortController().signal;

/** A project folder. `root` that exists already is used as it is. */
export async function kitAt(
  root: string,
  { fs = denoFs, clock = systemClock, hooks = {}, pace = 0 }: KitOptions = {},
): Promise<Kit> {
  const data = join(root, "data.txt");
  const effects = join(root, "effects");
  await denoFs.mkdirp(join(root, "jobs"));
  if (!await denoFs.stat(data)) await Deno.writeTextFile(data, "one\ntwo\nthree\n");
  const env = { fs, clock, cacheDir: join(root, "cache"), env: {} };
  const kit = { root, runsDir: join(root, "runs"), cacheDir: env.cacheDir, data, effects };
  const steps = stepsOf(kit, hooks, pace);
  return {
    ...kit,
    options: (change = {}) => ({
      loaded: loadedSpec(root),
      steps,
      env,
      runsDir: kit.runsDir,
      driver: { host: "here", pid: Deno.pid, version: "0" },
      control: { interrupt: NEVER, cancel: NEVER, cancelWindowMs: () => 0 },
      cancelJob: (job) => Deno.writeTextFile(join(root, "jobs", `${job["id"]}.cancelled`), ""),
      ...change,
    }),
  };
}

export async function withKit(test: (kit: Kit) => Promise<void>, options: KitOptions = {}): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "temper-run-" });
  try {
    await test(await kitAt(root, options));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

export function loadedSpec(root: string): LoadedSpec {
  const text = "version: 1\n";
  const spec = Spec.parse({
    version: 1,
    name: "tiny",
    dataset: { source: "data.txt" },
    method: { kind: "lora" },
    provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
  });
  return { spec, path: join(root, "tiny.yaml"), dir: root, text } as LoadedSpec;
}

/** The outputs of a run: every file below steps/, with its text. */
export async function outputsOf(runDir: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const steps = join(runDir, "steps");
  for (const path of await filesBelow(steps, denoFs)) tree[path] = await Deno.readTextFile(join(steps, path));
  return tree;
}

export async function effectsOf(kit: Pick<Kit, "effects">): Promise<string[]> {
  if (!await denoFs.stat(kit.effects)) return [];
  return (await Deno.readTextFile(kit.effects)).trim().split("\n");
}

/** The jobs that were started: what counts is what the service has, for a runner may die before it notes an effect. */
export async function jobsOf({ root }: Pick<Kit, "root">): Promise<string[]> {
  return (await denoFs.list(join(root, "jobs"))).filter((name) => !name.includes("."));
}

type Place = Omit<Kit, "options">;

function stepsOf(kit: Place, hooks: Hooks, pace: number): Step[] {
  const step = (
    kind: StepKind,
    cached: boolean,
    inputs: () => Promise<Record<string, string>>,
    run: (context: StepContext) => Promise<Pick<Awaited<ReturnType<Step["run"]>>, "result"> | void>,
  ): Step => ({
    kind,
    cached,
    version: 1,
    inputs,
    async run(context) {
      await hooks[kind]?.(context);
      if (pace > 0) await context.clock.sleep(pace, context.signal);
      const outcome = await run(context);
      await Deno.writeTextFile(kit.effects, `${kind}\n`, { append: true });
      return { summary: { kind }, ...outcome };
    },
  });
  const nothing = () => Promise.resolve({});
  return [
    step("extract", true, async () => ({ data: await denoFs.sha256(kit.data) }), async ({ out, fs }) => {
      await fs.writeAtomic(join(out, "rows.txt"), await fs.readText(kit.data));
    }),
    step("format", true, nothing, async ({ out, input, fs }) => {
      const rows = await fs.readText(join(input("extract"), "rows.txt"));
      await fs.mkdirp(join(out, "deep", "er"));
      await fs.writeAtomic(join(out, "deep", "er", "train.txt"), rows.toUpperCase());
      await fs.writeAtomic(join(out, "report.txt"), `${rows.length}\n`);
    }),
    step("configure", true, nothing, async ({ out, input, fs, progress }) => {
      for (let done = 1; done <= 3; done++) progress({ phase: "prepare", done, total: 3, metrics: { done } });
      const train = await fs.readText(join(input("format"), "deep", "er", "train.txt"));
      await fs.writeAtomic(join(out, "job.txt"), `train on ${train}`);
    }),
    step("submit", false, nothing, (context) => submit(kit, context)),
    step("monitor", false, nothing, monitor),
  ];
}

/** Starts the job at most once for a key, like a service that creates only what is absent. */
async function submit(kit: Place, { key, job, submitted, out, fs, clock }: StepContext): Promise<void> {
  const ref = job ?? await startJob(kit, key, clock.randomHex(8));
  await submitted(ref);
  await fs.writeAtomic(join(out, "job.txt"), `job of ${ref["id"]}`);
}

async function startJob(kit: Place, key: string, nonce: string): Promise<JobRef> {
  const path = join(kit.root, "jobs", key);
  const job: JobRef = { provider: "local", id: key, nonce };
  await Deno.writeTextFile(`${path}.${nonce}`, JSON.stringify(job));
  try {
    await Deno.link(`${path}.${nonce}`, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return JSON.parse(await Deno.readTextFile(path));
  }
  await Deno.writeTextFile(kit.effects, "job\n", { append: true });
  return job;
}

async function monitor({ out, job, fs, runDir }: StepContext) {
  const text = `result of ${job?.["id"]}`;
  await fs.writeAtomic(join(out, "result.txt"), text);
  await fs.writeAtomic(join(runDir, "model.bin"), "weights");
  const artifact = {
    kind: "model",
    path: "model.bin",
    bytes: 7,
    sha256: await fs.sha256(join(runDir, "model.bin")),
  };
  return { result: { metrics: { metric: "exact_match", before: 0, after: 1 }, artifacts: [artifact] } };
}

/** Random numbers from 0 up to 1 that TEMPER_SEED brings back. */
export function seededRandom(): { readonly seed: number; readonly random: () => number } {
  const seed = Number(Deno.env.get("TEMPER_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  return { seed, random: randomFrom(seed) };
}

/** Mulberry32. */
export function randomFrom(seed: number): () => number {
  let a = seed;
  return () => {
    a = a + 0x6d2b79f5 | 0;
    let t = Math.imul(a ^ a >>> 15, 1 | a);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

/** A copy of a folder as `cp -a` makes it: links and times are kept. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  const { success } = await new Deno.Command("cp", { args: ["-a", `${from}/.`, to] }).output();
  assert(success, `cannot copy "${from}" to "${to}"`);
}
