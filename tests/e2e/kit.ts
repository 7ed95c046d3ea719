// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/** What the end-to-end tests share: the real command line, the real trainer and a tiny random base. */
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { HERMETIC } from "../hermetic.ts";

export const ROOT = join(import.meta.dirname!, "..", "..");

/** The trainer's Python; `deno task test` makes it and says where it is. */
export const PYTHON = Deno.env.get("TEMPER_PYTHON");

/** Starts the trainer as PYTHON does, seconds faster (trainer/tests/warm); not for tests about the start itself. */
export const WARM_PYTHON = Deno.env.get("TEMPER_TEST_WARM_PYTHON") ?? PYTHON;

/** For `Deno.test({ ignore })`: without the trainer these tests cannot run. */
export const WITHOUT_TRAINER = PYTHON === undefined;
if (WITHOUT_TRAINER) {
  console.warn("skipped: TEMPER_PYTHON is not set; run the tests through `deno task test`");
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Project {
  readonly dir: string;
  readonly file: string;
  /** Runs `temper COMMAND …` in the project's folder. */
  temper(...args: string[]): Promise<Finished>;
  /** The same in another folder. */
  elsewhere(cwd: string, ...args: string[]): Promise<Finished>;
  /** The same, without waiting. */
  start(...args: string[]): Deno.ChildProcess;
  remove(): Promise<void>;
}

const TRAINER_TESTS = join(ROOT, "trainer", "tests");

/** A folder with a random llama of two layers, made once for all test files. */
export async function tinyBase(): Promise<string> {
  const maker = join(TRAINER_TESTS, "tiny.py");
  const folder = join(ROOT, ".temper", "tests", `tiny-${(await denoFs.sha256(maker)).slice(0, 12)}`);
  await denoFs.mkdirp(join(ROOT, ".temper", "tests"));
  const lock = (await denoFs.lock(`${folder}.lock`, 120_000))!;
  try {
    if (await denoFs.stat(folder)) return folder;
    const made = `${folder}.new`;
    await denoFs.remove(made);
    const code =
      "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import tiny; tiny.make_base(pathlib.Path(sys.argv[2]))";
    const { success, stderr } = await new Deno.Command(PYTHON!, {
      args: ["-c", code, TRAINER_TESTS, made],
      env: trainerCache(),
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    await denoFs.rename(made, folder);
    return folder;
  } finally {
    lock.release();
  }
}

/** Byte code of torch is worth 5 s a start. */
function trainerCache(): Record<string, string> {
  return { PYTHONDONTWRITEBYTECODE: "", PYTHONPYCACHEPREFIX: join(ROOT, ".temper", "pycache") };
}

const ROOMS = ["kitchen", "hallway", "bedroom", "attic", "cellar"];
const THINGS = ["lamp", "tv", "heater"];

export function rows(count: number, from = 0): string {
  return Array.from({ length: count }, (_, n) => {
    const i = n + from;
    const [verb, thing, room] = [i % 2 ? "off" : "on", THINGS[i % 3], ROOMS[i % 5]];
    return JSON.stringify({
      command: `turn ${verb} ${thing} ${i} in the ${room}`,
      action: `do: ${verb}, what: ${thing}`,
    });
  }).join("\n") + "\n";
}

/**
 * A pipeline on the tiny base; `overrides` replace whole top-level sections of the file (JSON is YAML). `env`: further
 * variables, read anew at each call.
 */
export async function project(
  overrides: Record<string, unknown> = {},
  env: Record<string, string> = {},
): Promise<Project> {
  const dir = await Deno.makeTempDir({ prefix: "temper-e2e-" });
  await denoFs.writeAtomic(join(dir, "train.jsonl"), rows(48));
  await denoFs.writeAtomic(join(dir, "eval.jsonl"), rows(6, 1000));
  const spec = {
    version: 1,
    name: "tiny",
    dataset: {
      source: "train.jsonl",
      eval: "eval.jsonl",
      format: "columns",
      columns: { system: "Home:", user: "{{ command }}", assistant: "{{ action }}" },
    },
    method: { kind: "lora", rank: 4, alpha: 8 },
    train: { epochs: 2, learning_rate: 0.01, max_length: 128, checkpoint_seconds: 1 },
    evaluate: { max_new_tokens: 8 },
    provider: { kind: "local", base: await tinyBase(), export: { quantization: "f32" } },
    ...overrides,
  };
  const file = join(dir, "tiny.yaml");
  await denoFs.writeAtomic(file, JSON.stringify(spec, null, 2));
  const command = (args: string[], cwd = dir) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", join(ROOT, "cli.ts"), ...args],
      cwd,
      env: {
        NO_COLOR: "1",
        ...HERMETIC,
        ...WARM_PYTHON === undefined ? {} : { TEMPER_PYTHON: WARM_PYTHON },
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  const call = async (args: string[], cwd?: string) => {
    const { code, stdout, stderr } = await command(args, cwd).output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  };
  return {
    dir,
    file,
    temper: (...args) => call(args),
    elsewhere: (cwd, ...args) => call(args, cwd),
    start: (...args) => command(args).spawn(),
    remove: () => denoFs.remove(dir),
  };
}
