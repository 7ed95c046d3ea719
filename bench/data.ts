// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * Memory and speed of extract + format. Prints the peak memory at 1,000,000 generated rows as a multiple of that at
 * 100,000, and how long the steps take next to a plain read of the same file. Exit 1 when memory grows.
 *
 *     deno task bench:data [FEW MANY]
 */
import { join } from "../src/deps/path.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { LineWriter } from "../src/lib/files/line_writer.ts";
import { planOf } from "../src/run/plan_of.ts";
import type { LoadedSpec } from "../src/spec/load.ts";
import { Spec } from "../src/spec/schema/schema.ts";
import { extract } from "../src/steps/extract.ts";
import { format } from "../src/steps/format.ts";
import type { StepKind } from "../src/steps/step.ts";

const BOUND = 1.10;

interface Measured {
  readonly rows: number;
  readonly peakBytes: number;
  readonly readMs: number;
  readonly stepsMs: number;
}

if (Deno.args[0] === "measure") {
  console.log(JSON.stringify(await measure(Deno.args[1] as string, Number(Deno.args[2]))));
} else {
  const [few = 100_000, many = 1_000_000] = Deno.args.map(Number);
  Deno.exit(await compare(few, many));
}

async function compare(few: number, many: number): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "bench-data-" });
  try {
    const small = await inFreshProcess(dir, few);
    const large = await inFreshProcess(dir, many);
    for (const { rows, peakBytes, readMs, stepsMs } of [small, large]) {
      console.log(
        `${rows} rows: peak ${(peakBytes / 1e6).toFixed(0)} MB, ${
          Math.round(rows / stepsMs * 1000)
        } rows/s, ` +
          `${(stepsMs / readMs).toFixed(1)} times a plain read`,
      );
    }
    const ratio = large.peakBytes / small.peakBytes;
    const ok = ratio <= BOUND;
    console.log(`peak memory ratio ${ratio.toFixed(3)}, bound ${BOUND.toFixed(2)}: ${ok ? "ok" : "over"}`);
    return ok ? 0 : 1;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function inFreshProcess(dir: string, rows: number): Promise<Measured> {
  const folder = join(dir, String(rows));
  await Deno.mkdir(folder);
  await generate(join(folder, "rows.jsonl"), rows);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...await v8Flags(), import.meta.filename as string, "measure", folder, `${rows}`],
    stderr: "inherit",
  });
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`Cannot measure ${rows} rows: the process failed`);
  return JSON.parse(new TextDecoder().decode(stdout)) as Measured;
}

/** What `deno task run` gives V8, so that this measures what people run. */
async function v8Flags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  return (tasks.run.command as string).match(/--v8-flags=\S+/g) ?? [];
}

/** Rows of different texts and lengths, with one repeated conversation in a thousand. */
async function generate(path: string, rows: number): Promise<void> {
  const writer = await LineWriter.create(path, denoFs);
  const words = "turn switch the lamp heater blinds in kitchen hallway office on off please to half and then"
    .split(" ");
  for (let i = 0; i < rows; i++) {
    const n = i % 1000 === 999 ? i - 500 : i;
    const text = Array.from(
      { length: 6 + n % 13 },
      (_, k) => words[(n * 7 + k * k * 3 + (n >>> (k % 16))) % words.length],
    );
    writer.add(
      JSON.stringify({
        prompt: `${text.join(" ")} ${n}`,
        completion: `do: ${text[0]}, what: ${text[3]}`,
        room: `r${n % 50}`,
      }),
    );
    await writer.drain();
  }
  await writer.finish();
}

async function measure(dir: string, rows: number): Promise<Measured> {
  const readStart = performance.now();
  for await (const _ of denoFs.readChunks(join(dir, "rows.jsonl")));
  const readMs = performance.now() - readStart;
  const env = { fs: denoFs, clock: systemClock, cacheDir: join(dir, "cache"), env: {} };
  const loaded = pipeline(dir, rows);
  const plan = await planOf(loaded, [extract, format], env);
  const start = performance.now();
  for (const step of [extract, format]) {
    const out = join(dir, step.kind);
    await denoFs.mkdirp(out);
    await step.run({
      records: [],
      record: () => Promise.resolve(),
      ...env,
      loaded,
      key: plan.steps.find(({ kind }) => kind === step.kind)?.key as string,
      runId: "bench",
      runDir: dir,
      out,
      progress: () => {},
      signal: new AbortController().signal,
      input: (kind: StepKind) => join(dir, kind),
      job: undefined,
      submitted: () => Promise.resolve(),
    });
  }
  return { rows, readMs, stepsMs: performance.now() - start, peakBytes: await peakBytes() };
}

/** A count split compares every row in all three ways, which takes the most memory. */
function pipeline(dir: string, rows: number): LoadedSpec {
  const spec = Spec.parse({
    version: 1,
    name: "bench",
    dataset: { source: "rows.jsonl", split: { eval: rows / 50 } },
    method: { kind: "lora" },
    provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
  });
  return { spec, path: join(dir, "pipeline.yaml"), dir, text: "" };
}

/** VmHWM: what the kernel saw at most. getrusage would count what the parent had at the fork. Linux only. */
async function peakBytes(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) * 1024;
}
