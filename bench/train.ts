// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * Speed and memory of the training loop next to a plain PEFT + transformers loop: the same base, rows, batches and
 * LoRA, each loop in a process of its own, taking turns. Before that, how much of a whole run is training at all.
 * Exit 1 when the loop is less than BOUND times as fast.
 *
 *     deno task bench:train [BLOCKS STEPS]
 */
import { join } from "../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { trainerEnv } from "../src/providers/trainer/environment/child_env.ts";
import { listRuns } from "../src/log/read_run.ts";
import { ensurePython } from "../src/providers/trainer/environment/environment.ts";

const BOUND = 1.3;
const [blocks = 8, steps = 4] = Deno.args.map(Number);
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
  readonly losses: readonly number[];
  readonly peak: number;
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

async function compare(python: string, job: string, folder: string): Promise<boolean> {
  const loops = { temper: new Loop("temper"), plain: new Loop("plain") };
  for (const loop of Object.values(loops)) await loop.start(python, job, join(folder, loop.name));
  for (let block = 0; block <= blocks; block++) {
    for (const loop of Object.values(loops)) await loop.run(steps, block > 0);
  }
  for (const loop of Object.values(loops)) await loop.end();
  const { temper, plain } = loops;
  const apart = Math.abs(temper.firstLoss / plain.firstLoss - 1);
  if (!(apart < 1e-3)) throw new Error(`The loops do not train the same: first losses differ by ${apart}`);
  for (const { name, speed, peak } of [temper, plain]) {
    console.log(`${name.padEnd(7)}${speed.toFixed(1)} tokens/s, peak ${(peak / 1e9).toFixed(2)} GB`);
  }
  console.log(`peak memory ratio ${(temper.peak / plain.peak).toFixed(2)}`);
  const ratio = temper.speed / plain.speed;
  console.log(`tokens/s ratio ${ratio.toFixed(2)}, bound ${BOUND}: ${ratio >= BOUND ? "ok" : "under"}`);
  return ratio >= BOUND;
}

/** One loop in a process of its own, idle between its turns. */
class Loop {
  readonly name: string;
  firstLoss = NaN;
  peak = 0;
  #tokens = 0;
  #seconds = 0;
  #child: Deno.ChildProcess | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #output: AsyncIterator<string> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get speed(): number {
    return this.#tokens / this.#seconds;
  }

  async start(python: string, job: string, folder: string): Promise<void> {
    await denoFs.mkdirp(join(folder, "prepared"));
    for (const file of JOB_FILES) await denoFs.linkOrCopy(join(job, file), join(folder, file));
    this.#child = new Deno.Command(python, {
      args: [join(TRAINER, "bench", "train_loop.py"), this.name, folder, CACHE],
      env: trainerEnv(Deno.env.toObject(), TRAINER),
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = lines(this.#child.stdout);
    console.log(`${this.name}: ${await this.#line()}`);
  }

  /** The first turn warms up and does not count. */
  async run(steps: number, counts: boolean): Promise<void> {
    await this.#input!.write(new TextEncoder().encode(`${steps}\n`));
    const block = JSON.parse(await this.#line()) as Block;
    this.peak = block.peak;
    if (!counts) {
      this.firstLoss = block.losses[0]!;
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
    const { value, done } = await this.#output!.next();
    if (done) throw new Error(`Cannot measure the ${this.name} loop: its process ended`);
    return value;
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
  const python = await ensurePython({
    env: { fs: denoFs, clock: systemClock, cacheDir: CACHE, env: Deno.env.toObject() },
    trainerDir: TRAINER,
    progress: ({ message }) => message && console.log(message),
    signal: new AbortController().signal,
  });
  const job = await wholeRun(join(folder, "runs"));
  Deno.exitCode = await compare(python, job, folder) ? 0 : 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}
