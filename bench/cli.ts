// deno-lint-ignore-file no-console -- a benchmark is a program of its own
/**
 * Start-up of the command line: how many times longer than an empty script a command takes. The commands and the
 * empty script take turns, so that a busy machine slows all of them. Exit 1 when a ratio is over its bound.
 *
 *     deno task bench:cli [ROUNDS]
 */
import { fileURLToPath } from "node:url";
import { join } from "../src/deps/path.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { runPipeline } from "../src/run/run_pipeline.ts";
import { loadSpecOrThrow } from "../src/spec/load.ts";
import { extract } from "../src/steps/extract.ts";
import { format } from "../src/steps/format.ts";

const ROUNDS = 15;
const ROWS = 10_000;
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FLAGS = [
  "run",
  "--no-prompt",
  "--allow-read",
  "--allow-env",
  "--allow-sys",
  "--config",
  join(ROOT, "deno.json"),
];

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  /** Most times the empty script's time; without one it is only measured. */
  readonly bound?: number;
}

const rounds = Number(Deno.args[0] ?? ROUNDS);
const dir = await Deno.makeTempDir({ prefix: "bench-cli-" });
try {
  Deno.exitCode = await compare(await prepare(dir), join(dir, "empty.ts"));
} finally {
  await Deno.remove(dir, { recursive: true });
}

async function compare(cases: readonly Case[], empty: string): Promise<number> {
  const baseline: number[] = [];
  const times = cases.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    // The round before the first fills the caches and is not counted.
    const counted = round >= 0;
    const base = await timed([empty]);
    if (counted) baseline.push(base);
    for (const [i, { args }] of cases.entries()) {
      const ms = await timed([join(ROOT, "cli.ts"), ...args]);
      if (counted) times[i]!.push(ms);
    }
  }
  const over = cases.filter(({ name, bound }, i) => {
    const ratio = median(times[i]!) / median(baseline);
    const ok = bound === undefined || ratio <= bound;
    const verdict = bound === undefined ? "" : `, bound ${bound}: ${ok ? "ok" : "over"}`;
    console.log(`${name.padEnd(34)} ${ratio.toFixed(2)} times${verdict}`);
    return !ok;
  });
  console.log(`empty script: ${median(baseline).toFixed(0)} ms (median of ${rounds})`);
  return over.length === 0 ? 0 : 1;
}

async function timed(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const command = new Deno.Command(Deno.execPath(), {
    args: [...FLAGS, ...args],
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
  return performance.now() - start;
}

/** A project whose data steps have run, so that `plan` finds them in the cache. */
async function prepare(dir: string): Promise<Case[]> {
  await Deno.writeTextFile(join(dir, "empty.ts"), "");
  const rows = Array.from(
    { length: ROWS },
    (_, i) => JSON.stringify({ prompt: `Add ${i} and 1`, completion: `${i + 1}` }),
  );
  await Deno.writeTextFile(join(dir, "rows.jsonl"), `${rows.join("\n")}\n`);
  const file = join(dir, "pipeline.yaml");
  await Deno.writeTextFile(
    file,
    "version: 1\nname: bench\ndataset: {source: rows.jsonl, split: {eval: 100}}\nmethod: {kind: lora}\n" +
      "provider: {kind: local, base: builtin:smollm2-135m-instruct}\n",
  );
  const demo = join(ROOT, "pipelines", "lora.yaml");
  const runs = join(dir, "runs");
  const cache = join(dir, "cache");
  const never = new AbortController().signal;
  const { state } = await runPipeline({
    loaded: await loadSpecOrThrow(file, denoFs),
    steps: [extract, format],
    env: { fs: denoFs, clock: systemClock, cacheDir: cache, env: {} },
    runsDir: runs,
    driver: { host: "bench", pid: Deno.pid, version: "bench" },
    control: { interrupt: never, cancel: never, cancelWindowMs: () => 0 },
    cancelJob: () => Promise.reject(new Error("No job was started")),
  });
  if (state.state !== "done") throw new Error(`The data steps ended as ${state.state}`);
  return [
    { name: "--help", args: ["--help"], bound: 2 },
    { name: "check --no-data, of the demo", args: ["check", demo, "--no-data"], bound: 5 },
    { name: "check of the demo and its 300 rows", args: ["check", demo] },
    {
      name: `plan, ${ROWS} rows in the cache`,
      args: ["plan", file, "--runs", runs, "--cache", cache],
      bound: 8,
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
