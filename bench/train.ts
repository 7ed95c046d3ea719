// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * Speed and memory of the training loop next to TRL's SFTTrainer (trainer/bench/requirements.lock, in a folder of its
 * own): the same base, rows, batches and LoRA, each in a process of its own, taking turns. TRL runs without gradient
 * checkpointing, which would make it slower. First of all, how much of a whole run is training at all.
 * Exit 1 where a ratio misses its bound.
 *
 *     deno task bench:train [BLOCKS]
 */
import { join } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { trainerEnv } from "../src/providers/trainer/environment/child_env.ts";
import { listRuns } from "../src/log/read_run.ts";
import { ensurePython } from "../src/providers/trainer/environment/environment.ts";
import { packageLayer } from "../tools/test_python.ts";

interface Case {
  readonly rows: "short" | "long";
  readonly dtype: Dtype;
  /** Optimiser steps in each turn. */
  readonly steps: number;
  readonly faster: number;
  readonly memory: number;
}

type Dtype = "fp32" | "bf16";

/** Bounds. The aims are 2 and 0.7 for short rows, 3 and 0.7 for long ones, and 3 for `auto`. */
const CASES: readonly Case[] = [
  { rows: "short", dtype: "fp32", steps: 4, faster: 1.6, memory: 0.8 },
  { rows: "short", dtype: "bf16", steps: 4, faster: 1.8, memory: 0.9 },
  { rows: "long", dtype: "fp32", steps: 1, faster: 1.7, memory: 0.4 },
  { rows: "long", dtype: "bf16", steps: 1, faster: 2, memory: 0.4 },
];
/** What `dtype: auto` takes here, next to TRL in fp32. */
const AUTO = 2;
const [blocks = 6] = Deno.args.map(Number);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TRAINER = join(ROOT, "trainer");
const CACHE = join(ROOT, ".temper");
const JOB_FILES = [
  "job.json",
  "tokens.json",
  "train.jsonl",
  "eval.jsonl",
  "prepared/train.safetensors",
  "prepared/eval.safetensors",
  "prepared/eval.jsonl",
];

interface Block {
  readonly tokens: number;
  readonly seconds: number;
  readonly firstLoss: number;
  readonly peak: number;
}

interface Measured {
  readonly speed: number;
  readonly peak: number;
  readonly auto: Dtype;
}

/** Runs the demo pipeline once, says where its time went, and returns its job folder. */
async function wholeRun(runs: string): Promise<string> {
  const args = ["run", "-A", join(ROOT, "cli.ts"), "run", join(ROOT, "pipelines/lora.yaml")];
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args, "--runs", runs, "--cache", CACHE],
    stdout: "null",
  });
  const { success } = await child.spawn().status;
  const wall = (performance.now() - start) / 1000;
  if (!success) throw new Error("Cannot measure a run: it failed");
  const [run] = await listRuns(denoFs, runs);
  const job = join(run!.dir, "job");
  const { timing } = JSON.parse(await denoFs.readText(join(job, "result.json"))) as {
    timing: Record<string, number>;
  };
  const parts = ["load", "baseline", "train", "evaluate", "export"].map((name) =>
    [name, timing[name]!] as const
  );
  const rest = wall - parts.reduce((sum, [, seconds]) => sum + seconds, 0);
  const all = [...parts, ["everything else", rest] as const];
  console.log(
    `whole run ${wall.toFixed(0)} s: ${all.map(([name, s]) => `${name} ${s.toFixed(1)}`).join(", ")}`,
  );
  console.log(`outside training steps ${(100 * (1 - timing["train"]! / wall)).toFixed(0)}%`);
  return job;
}

interface Place {
  readonly python: string;
  readonly layer: string;
  readonly job: string;
  readonly folder: string;
}

async function compareAll(place: Place): Promise<boolean> {
  const verdicts: boolean[] = [];
  const found = new Map<string, readonly [Measured, Measured]>();
  console.log("rows   type  temper tokens/s  TRL tokens/s  ratio   temper GB  TRL GB  ratio");
  for (const it of CASES) {
    const [ours, theirs] = await compare(it, place);
    found.set(`${it.rows} ${it.dtype}`, [ours, theirs]);
    const faster = ours.speed / theirs.speed;
    const memory = ours.peak / theirs.peak;
    const numbers = [ours.speed.toFixed(0), theirs.speed.toFixed(0), `${faster.toFixed(2)}x`];
    const sizes = [gigabytes(ours.peak), gigabytes(theirs.peak), `${memory.toFixed(2)}x`];
    const [a, b, c, d, e, f] = [...numbers, ...sizes] as [string, string, string, string, string, string];
    const cells = [it.rows.padEnd(6), it.dtype, a.padStart(16), b.padStart(13), c.padStart(6)];
    console.log([...cells, d.padStart(11), e.padStart(7), f.padStart(6)].join(" "));
    verdicts.push(judged("tokens/s", faster, it.faster, faster >= it.faster));
    verdicts.push(judged("peak memory", memory, it.memory, memory <= it.memory));
  }
  for (const rows of ["short", "long"]) {
    const [, theirs] = found.get(`${rows} fp32`)!;
    const { auto } = theirs;
    const faster = found.get(`${rows} ${auto}`)![0].speed / theirs.speed;
    verdicts.push(
      judged(`${rows} rows, auto (${auto}) next to TRL in fp32: tokens/s`, faster, AUTO, faster >= AUTO),
    );
  }
  return verdicts.every(Boolean);
}

function judged(what: string, ratio: number, bound: number, holds: boolean): boolean {
  console.log(`  ${what} ${ratio.toFixed(2)}x, bound ${bound}: ${holds ? "ok" : "missed"}`);
  return holds;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

/** Both loops, taking turns. */
async function compare(it: Case, place: Place): Promise<readonly [Measured, Measured]> {
  const loops = [new Loop("temper"), new Loop("trl")] as const;
  for (const loop of loops) await loop.start(it, place);
  for (let block = 0; block <= blocks; block++) {
    for (const loop of loops) await loop.run(block > 0);
  }
  for (const loop of loops) await loop.end();
  const [ours, theirs] = loops;
  const apart = Math.abs(ours.firstLoss / theirs.firstLoss - 1);
  const near = it.dtype === "fp32" ? 1e-3 : 2e-2;
  if (!(apart < near)) throw new Error(`The loops do not train the same: first losses differ by ${apart}`);
  return loops;
}

/** One loop in a process of its own, idle between its turns. */
class Loop {
  readonly name: "temper" | "trl";
  auto: Dtype = "fp32";
  firstLoss = NaN;
  peak = 0;
  #tokens = 0;
  #seconds = 0;
  #child: Deno.ChildProcess | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #output: AsyncIterator<string> | undefined;

  constructor(name: "temper" | "trl") {
    this.name = name;
  }

  get speed(): number {
    return this.#tokens / this.#seconds;
  }

  async start({ rows, dtype, steps }: Case, { python, layer, job, folder }: Place): Promise<void> {
    const own = join(folder, `${this.name}-${rows}-${dtype}`);
    await denoFs.mkdirp(join(own, "prepared"));
    for (const file of JOB_FILES) await denoFs.linkOrCopy(join(job, file), join(own, file));
    const turns = [String(steps), String(blocks + 1)];
    const env = trainerEnv(Deno.env.toObject(), TRAINER);
    this.#child = new Deno.Command(python, {
      args: [join(TRAINER, "bench", "train_loop.py"), this.name, own, CACHE, rows, dtype, ...turns],
      env: this.name === "trl" ? { ...env, PYTHONPATH: `${layer}:${TRAINER}` } : env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = lines(this.#child.stdout);
    this.auto = (JSON.parse(await this.#line()) as { auto: Dtype }).auto;
  }

  /** The first turn warms up and does not count. */
  async run(counts: boolean): Promise<void> {
    await this.#input!.write(new TextEncoder().encode("go\n"));
    const block = JSON.parse(await this.#line()) as Block;
    this.peak = block.peak;
    if (!counts) {
      this.firstLoss = block.firstLoss;
      return;
    }
    this.#tokens += block.tokens;
    this.#seconds += block.seconds;
  }

  async end(): Promise<void> {
    await this.#input!.close();
    await this.#child!.status;
  }

  async #line(): Promise<string> {
    while (true) {
      const { value, done } = await this.#output!.next();
      if (done) throw new Error(`Cannot measure the ${this.name} loop: its process ended`);
      if (value.startsWith('{"bench')) return value;
    }
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

// Last, because a class exists from its line on.
const folder = await Deno.makeTempDir({ prefix: "bench-train-" });
try {
  const env = { fs: denoFs, clock: systemClock, cacheDir: CACHE, env: Deno.env.toObject() };
  const python = await ensurePython({
    env,
    trainerDir: TRAINER,
    progress: ({ message }) => message && console.log(message),
    signal: new AbortController().signal,
  });
  const lock = join(TRAINER, "bench", "requirements.lock");
  const layer = await packageLayer(env, python, lock, "python-bench", "TRL needs");
  const job = await wholeRun(join(folder, "runs"));
  Deno.exitCode = await compareAll({ python, layer, job, folder }) ? 0 : 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}
