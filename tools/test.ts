// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/**
 * `deno task test`: every test a newcomer needs, TypeScript and Python, and one line that sums them up.
 * `deno task test --slow`: the heavier proofs instead, with the real model.
 * `deno task test --only deno|python [-- ARGS]` runs one side.
 */
import { join } from "../src/deps/path.ts";
import process from "node:process";
import { parseArgs } from "../src/deps/cli.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { type Counts, junitCounts } from "./junit.ts";
import { type TestPython, testPython } from "./test_python.ts";

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
/** Tasks of their own run these. */
const LONG = [SLOW, "tests/crash"].join(",");

function suites({ python, layer }: TestPython, slow: boolean, rest: readonly string[]): Suite[] {
  const results = join(root, ".temper", "test-results");
  const pycache = join(root, ".temper", "pycache");
  const cache = join(root, ".temper", "tests", "cache");
  const env = {
    TEMPER_PYTHON: python,
    TEMPER_CACHE: cache,
    PYTHONPYCACHEPREFIX: pycache,
    PYTHONDONTWRITEBYTECODE: "",
  };
  const junit = (name: string) => join(results, `${name}.xml`);
  const which = slow ? [SLOW] : ["tests", `--ignore=${LONG}`];
  return [{
    name: "deno",
    command: Deno.execPath(),
    args: [
      "test",
      "-A",
      "--no-prompt",
      ...slow ? [] : ["--parallel"],
      `--junit-path=${junit("deno")}`,
      ...which,
      ...rest,
    ],
    env: { ...env, TEMPER_TEST_LAYER: layer, DENO_JOBS: "2" },
    junit: junit("deno"),
  }, {
    name: "python",
    command: python,
    args: [
      "-m",
      "pytest",
      "-q",
      "-m",
      slow ? "slow" : "not slow",
      `--junitxml=${junit("python")}`,
      "trainer/tests",
      ...rest,
    ],
    env: { ...env, PYTHONPATH: [layer, join(root, "trainer")].join(":"), TOKENIZERS_PARALLELISM: "false" },
    junit: junit("python"),
  }];
}

async function runSuite({ name, command, args, env, junit }: Suite): Promise<Counts> {
  console.log(`\n${name}: ${args.join(" ")}`);
  await denoFs.mkdirp(join(junit, ".."));
  await denoFs.remove(junit);
  const { code } = await new Deno.Command(command, { args: [...args], env, cwd: root, stdin: "null" }).spawn()
    .status;
  const found = await junitCounts(junit);
  // A runner that ends badly without a failed test has not run what it should.
  return code !== 0 && found.failed === 0 ? { ...found, failed: 1 } : found;
}

const { values, positionals } = parseArgs({
  options: { slow: { type: "boolean", default: false }, only: { type: "string" } },
  allowPositionals: true,
});
let total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const suite of suites(await testPython(root), values.slow, positionals)) {
  if (values.only !== undefined && values.only !== suite.name) continue;
  const { passed, failed, skipped } = await runSuite(suite);
  total = { passed: total.passed + passed, failed: total.failed + failed, skipped: total.skipped + skipped };
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
