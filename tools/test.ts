// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/**
 * `deno task test`: every test a newcomer needs, TypeScript, the examples in its doc comments and Python, and one line
 * that sums them up.
 * `deno task test --slow`: the heavier proofs instead, with the real model and real clusters.
 * `deno task test --only deno|examples|python [-- ARGS]` runs one side; `--seed N` repeats every random choice.
 */
import { join } from "../src/deps/path.ts";
import process from "node:process";
import { parseArgs } from "../src/deps/cli.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { type Counts, junitCounts, junitTests } from "./junit.ts";
import { testSeed } from "./seed.ts";
import { testPython } from "./test_python.ts";
import { startWarmPython } from "./warm_python.ts";

interface Suite {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** JUnit file it writes. */
  readonly junit: string;
}

const root = join(import.meta.dirname!, "..");
const SLOW = "tests/slow";
/** With a real Slurm or Ray: their daemons and workers take every core, and nothing else is to run beside them. */
const CLUSTERS = [
  "tests/e2e/slurm_test.ts",
  "tests/engines/ray/head_test.ts",
  "tests/engines/ray/ray_test.ts",
  "tests/engines/ray/workers_test.ts",
  "tests/engines/slurm/run_test.ts",
];
/** Tasks of their own run these. */
const LONG = [SLOW, "tests/crash", ...CLUSTERS].join(",");

const SLOWEST = 20;
/** What libraries read when they are imported, the same for every test. Tiny models lose time on a second thread. */
const LIBRARIES = { OMP_NUM_THREADS: "1", TOKENIZERS_PARALLELISM: "false", HF_HUB_DISABLE_TELEMETRY: "1" };

const { values, positionals } = parseArgs({
  options: {
    slow: { type: "boolean", default: false },
    only: { type: "string" },
    seed: { type: "string" },
  },
  allowPositionals: true,
});
const seed = String(testSeed(values.seed));
const { python, layer } = await testPython(root);
const results = join(root, ".temper", "test-results");
const env = {
  TEMPER_PYTHON: python,
  TEMPER_CACHE: join(root, ".temper", "tests", "cache"),
  PYTHONPYCACHEPREFIX: join(root, ".temper", "pycache"),
  PYTHONDONTWRITEBYTECODE: "",
  TEMPER_SEED: seed,
};
await denoFs.mkdirp(results);
console.log(`Seed ${seed}: deno task test --seed ${seed} makes the same random choices`);
const chosen = [denoSuite(), ...values.slow ? [] : [examplesSuite()], pythonSuite()].filter(({ name }) =>
  (values.only ?? name) === name
);
for (const { junit } of chosen) await denoFs.remove(junit);
const found = values.slow ? await oneByOne(chosen) : await sideBySide(chosen);
const sum = (what: keyof Counts) => found.reduce((total, counts) => total + counts[what], 0);
await printSlowest(chosen);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exitCode = sum("failed") > 0 ? 1 : 0;

function denoSuite(): Suite {
  const which = values.slow ? [SLOW, ...CLUSTERS] : ["--parallel", "tests", `--ignore=${LONG}`];
  const junit = join(results, "deno.xml");
  return {
    name: "deno",
    command: Deno.execPath(),
    args: ["test", "-A", "--no-prompt", `--junit-path=${junit}`, ...which, ...positionals],
    env: { ...env, TEMPER_TEST_LAYER: layer, DENO_JOBS: "2" },
    junit,
  };
}

/** The examples of doc comments: `deno test --doc`. */
function examplesSuite(): Suite {
  const junit = join(results, "examples.xml");
  return {
    name: "examples",
    command: Deno.execPath(),
    args: [
      "test",
      "--doc",
      "-A",
      "--no-prompt",
      `--junit-path=${junit}`,
      "mod.ts",
      "server/mod.ts",
      "src",
      ...positionals,
    ],
    env,
    junit,
  };
}

function pythonSuite(): Suite {
  const junit = join(results, "python.xml");
  const which = ["-m", values.slow ? "slow" : "not slow", "trainer/tests"];
  return {
    name: "python",
    command: python,
    args: [
      "-m",
      "pytest",
      "-q",
      `--hypothesis-seed=${seed}`,
      `--junitxml=${junit}`,
      ...which,
      ...positionals,
    ],
    env: { ...env, PYTHONPATH: [layer, join(root, "trainer")].join(":"), TOKENIZERS_PARALLELISM: "false" },
    junit,
  };
}

/** Python's tests run beside the others: each waits much for processes. What they say is printed after the others. */
async function sideBySide(suites: readonly Suite[]): Promise<Counts[]> {
  await using warm = await startWarmPython(python, root, { ...env, ...LIBRARIES });
  const shared = { ...LIBRARIES, ...warm && { TEMPER_TEST_WARM_PYTHON: warm.python } };
  const all = suites.map((suite) => ({ ...suite, env: { ...suite.env, ...shared } }));
  const others = all.filter(({ name }) => name !== "python");
  const beside = all.filter((suite) => !others.includes(suite)).map((suite) =>
    start(suite, others.length > 0)
  );
  const found = await oneByOne(others);
  for (const suite of beside) found.push(await suite.end());
  return found;
}

/** The heavier proofs use every core themselves. */
async function oneByOne(suites: readonly Suite[]): Promise<Counts[]> {
  const found: Counts[] = [];
  for (const suite of suites) found.push(await start(suite, false).end());
  return found;
}

/** `held`: what it says is kept until somebody waits for its end. */
function start({ name, command, args, env, junit }: Suite, held: boolean): { end(): Promise<Counts> } {
  const title = `\n${name}: ${args.join(" ")}`;
  if (!held) console.log(title);
  const output = held ? "piped" : "inherit";
  const child = new Deno.Command(command, {
    args: [...args],
    env,
    cwd: root,
    stdin: "null",
    stdout: output,
    stderr: output,
  }).spawn();
  const kept: Uint8Array[] = [];
  let write: (part: Uint8Array) => void = (part) => kept.push(part);
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream) write(part);
  };
  const said = held ? [read(child.stdout), read(child.stderr)] : [];
  return {
    async end() {
      if (held) console.log(title);
      kept.forEach(print);
      write = print;
      const [{ code }] = await Promise.all([child.status, ...said]);
      const counts = await junitCounts(junit);
      // A runner that ends badly without a failed test has not run what it should.
      return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
    },
  };
}

function print(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

async function printSlowest(suites: readonly Suite[]): Promise<void> {
  const tests = (await Promise.all(suites.map(({ junit }) => junitTests(junit)))).flat();
  const slowest = tests.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  console.log(`\nThe slowest ${slowest.length} of ${tests.length} tests:`);
  for (const { name, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}
