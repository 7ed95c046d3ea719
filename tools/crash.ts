// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/**
 * `deno task test:crash [--seconds N] [--seed S] [FILE…]`: every proof of tests/crash that nothing is lost. The loops
 * go on for N seconds; what can be tried exhaustively is. The seed is printed and brings every random choice back.
 */
import { join } from "../src/deps/path.ts";
import process from "node:process";
import { parseArgs } from "../src/deps/cli.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { COUNTED, type Tally } from "../tests/crash/proof.ts";
import { junitCounts } from "./junit.ts";

const root = join(import.meta.dirname!, "..");
const FOLDER = "tests/crash";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
  allowPositionals: true,
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error("Cannot run the proofs: --seconds takes a number above 0, --seed a whole number");
  Deno.exit(2);
}

const results = join(root, ".temper", "test-results");
const junit = join(results, "crash.xml");
const tally = join(results, "crash.jsonl");
await denoFs.mkdirp(results);
for (const path of [junit, tally]) await denoFs.remove(path);
console.log(`crash proofs: ${seconds} s of loops, seed ${seed}`);
const started = performance.now();
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "-A",
    "--no-prompt",
    "--parallel",
    `--junit-path=${junit}`,
    ...positionals.length > 0 ? positionals : [FOLDER],
  ],
  env: {
    TEMPER_CRASH_SECONDS: String(seconds),
    TEMPER_CRASH_SEED: String(seed),
    TEMPER_CRASH_TALLY: tally,
    // The loops of the quick tests that are used here too.
    TEMPER_SEED: String(seed),
    DENO_JOBS: "2",
  },
  cwd: root,
  stdin: "null",
}).spawn().status;

const { passed, failed, skipped } = await junitCounts(junit);
const lines = await denoFs.stat(tally) ? (await denoFs.readText(tally)).trim().split("\n") : [];
const tallies = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Tally);
const sum = (what: keyof Tally) => tallies.reduce((total, counts) => total + (counts[what] ?? 0), 0);
// A proof that failed or ended before it could say what it violated has violated something.
const violations = Math.max(sum("violations"), failed, code === 0 ? 0 : 1);
const took = Math.round((performance.now() - started) / 1000);
console.log(`\n${COUNTED.map((what) => `${sum(what)} ${what}`).join(", ")} tried in ${took} s`);
console.log(
  `${violations} violations${violations > 0 ? `; deno task test:crash --seed ${seed} repeats them` : ""}`,
);
console.log(`${passed} passed, ${failed === 0 && code !== 0 ? 1 : failed} failed, ${skipped} skipped`);
process.exitCode = violations > 0 ? 1 : 0;
