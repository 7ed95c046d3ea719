// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
import { join } from "../src/deps/path.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs, sha256 } from "../src/lib/files/fs.ts";
import { ensurePython } from "../src/providers/trainer/environment/environment.ts";
import { findProgram } from "../src/lib/find_program.ts";
import type { Env } from "../src/providers/provider.ts";

/** A Python with the trainer's packages, and the folder of what only its tests need (for PYTHONPATH). */
export interface TestPython {
  readonly python: string;
  readonly layer: string;
}

/**
 * Makes the trainer's environment as a run does, and beside it a layer with pytest, hypothesis, ruff and llama.cpp:
 * users' environments hold nothing that only tests need.
 */
export async function testPython(root: string): Promise<TestPython> {
  const env = { fs: denoFs, clock: systemClock, cacheDir: join(root, ".temper"), env: Deno.env.toObject() };
  const said = new Set<string>();
  const python = await ensurePython({
    env,
    trainerDir: join(root, "trainer"),
    signal: new AbortController().signal,
    progress({ message }) {
      if (message !== undefined && !said.has(message)) console.log(message);
      said.add(message ?? "");
    },
  });
  const lock = join(root, "trainer", "requirements-test.lock");
  return { python, layer: await packageLayer(env, python, lock, "python-test", "the trainer's tests need") };
}

/** A folder of packages on top of the trainer's environment, made on first use; `lock` lists them with their hashes. */
export async function packageLayer(
  env: Env,
  python: string,
  lock: string,
  name: string,
  what: string,
): Promise<string> {
  const layer = join(env.cacheDir, name, sha256(python + await denoFs.readText(lock)).slice(0, 16));
  if (await denoFs.stat(join(layer, "complete"))) return layer;
  console.log(`Adding what ${what}: this happens once`);
  await denoFs.remove(layer);
  const strict = ["--no-deps", "--require-hashes", "--target", layer, "-r", lock];
  const uv = await findProgram("uv", env);
  const [command, args] = uv
    ? [uv, ["pip", "install", "--quiet", "--python", python, ...strict]]
    : [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...strict]];
  const { success } = await new Deno.Command(command, { args }).spawn().status;
  if (!success) throw new Error(`Cannot install ${lock}: ${command} failed`);
  await denoFs.writeAtomic(join(layer, "complete"), "");
  return layer;
}
