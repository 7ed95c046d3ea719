// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/**
 * `deno task test:fuzz [--inputs N] [--seed S] [--index I] [TARGET…]`: readers meet files that nobody meant. Each
 * gives a result or says what is wrong, within a time and a memory; `--index` reads one input again.
 */
import { join } from "../src/deps/path.ts";
import process from "node:process";
import { parseArgs } from "../src/deps/cli.ts";
import { bytes, count } from "../src/lib/text/format.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { TARGETS } from "../tests/fuzz/targets.ts";

const WORKER = join(import.meta.dirname!, "..", "tests", "fuzz", "worker.ts");
/** Inputs one process reads, so that what it holds at most is known of few. */
const BATCH = 10_000;
const MOST_BYTES = 512e6;
const MOST_MS = 10_000;

interface Report {
  readonly good: number;
  readonly refused: number;
  readonly unexpected: readonly { readonly index: number; readonly error: string }[];
  readonly peak: number;
}

const { values, positionals } = parseArgs({
  options: {
    inputs: { type: "string", default: "2000" },
    seed: { type: "string" },
    index: { type: "string" },
  },
  allowPositionals: true,
});
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const first = Number(values.index ?? 0);
const inputs = values.index === undefined ? Number(values.inputs) : 1;
const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);

console.log(`fuzz: ${count(inputs)} inputs each, seed ${seed}`);
let failed = 0;
for (const name of names) if (!await fuzz(name)) failed++;
console.log(`\n${names.length - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed > 0 ? 1 : 0;

/** Whether every input of a target got an answer. */
async function fuzz(name: string): Promise<boolean> {
  const total = { good: 0, refused: 0, peak: 0 };
  const violations: string[] = [];
  const began = performance.now();
  for (let from = first; from < first + inputs && violations.length < 5;) {
    const batch = Math.min(BATCH, first + inputs - from);
    const { report, at, words } = await read(name, from, batch);
    if (report) {
      total.good += report.good;
      total.refused += report.refused;
      total.peak = Math.max(total.peak, report.peak);
      violations.push(...report.unexpected.map(({ index, error }) => `input ${index}: ${error}`));
      if (report.peak > MOST_BYTES) {
        violations.push(`inputs ${from} to ${from + batch - 1}: took ${bytes(report.peak)}`);
      }
      from += batch;
    } else {
      violations.push(`input ${at}: ${words}`);
      from = at + 1;
    }
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  const { good, refused, peak } = total;
  const told = `${count(good)} good, ${count(refused)} refused, ${violations.length} violations`;
  console.log(`${name.padEnd(12)} ${told}, peak ${bytes(peak)}, ${seconds} s`);
  for (const violation of violations) {
    console.log(`  ${violation}\n  again: deno task test:fuzz --seed ${seed} --index N ${name}`);
  }
  return violations.length === 0;
}

/** One process. Without a report it ended badly, at input `at`. */
async function read(
  name: string,
  from: number,
  batch: number,
): Promise<{ readonly report?: Report; readonly at: number; readonly words: string }> {
  const folder = await Deno.makeTempDir({
    prefix: "temper-fuzz-",
    ...await denoFs.stat("/dev/shm") && { dir: "/dev/shm" },
  });
  const position = async () => {
    const path = join(folder, "at");
    return await denoFs.stat(path) ? Number(await denoFs.readText(path)) : from;
  };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER, name, String(seed), String(from), String(batch), folder],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let hung = false;
  let [last, since] = [-1, performance.now()];
  const watch = setInterval(async () => {
    const now = await position();
    if (now !== last) [last, since] = [now, performance.now()];
    if (performance.now() - since < MOST_MS) return;
    hung = true;
    child.kill("SIGKILL");
  }, 1_000);
  try {
    const { code, stdout, stderr } = await child.output();
    if (code === 0) return { report: JSON.parse(new TextDecoder().decode(stdout)), at: from, words: "" };
    const words = hung
      ? `no answer within ${MOST_MS / 1000} s`
      : new TextDecoder().decode(stderr).slice(-500);
    return { at: await position(), words };
  } finally {
    clearInterval(watch);
    await Deno.remove(folder, { recursive: true });
  }
}
