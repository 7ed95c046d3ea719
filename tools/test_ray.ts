// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/**
 * `deno run -A tools/test_ray.ts` makes an environment with Ray, which only the tests of its engine need, and prints the
 * path of its program `ray`, for TEMPER_TEST_RAY. 300 MB, installed once.
 */
import { join } from "../src/deps/path.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs, sha256 } from "../src/lib/files/fs.ts";
import { findProgram } from "../src/lib/find_program.ts";
import { findPython } from "../src/providers/trainer/environment/python.ts";

const root = join(import.meta.dirname!, "..");
const env = { fs: denoFs, clock: systemClock, cacheDir: join(root, ".temper"), env: Deno.env.toObject() };
const lock = join(root, "tests", "engines", "ray", "requirements.lock");
const { path: python, version } = await findPython(env, new AbortController().signal);
const digest = sha256(`${version}\n${await denoFs.readText(lock)}`).slice(0, 16);
const folder = join(env.cacheDir, "ray-test", digest);
if (!await denoFs.stat(join(folder, "complete"))) {
  await denoFs.remove(folder);
  const strict = ["--quiet", "--no-deps", "--require-hashes", "-r", lock];
  const made = join(folder, "bin", "python");
  const uv = await findProgram("uv", env);
  if (uv) {
    await run(uv, ["venv", "--quiet", "--python", python, folder]);
    await run(uv, ["pip", "install", "--python", made, ...strict]);
  } else {
    await run(python, ["-m", "venv", folder]);
    await run(made, ["-m", "pip", "install", "--disable-pip-version-check", ...strict]);
  }
  await denoFs.writeAtomic(join(folder, "complete"), "");
}
console.log(join(folder, "bin", "ray"));

async function run(command: string, args: string[]): Promise<void> {
  // Nothing but the path goes to stdout.
  const { success } = await new Deno.Command(command, { args, stdout: "null" }).spawn().status;
  if (!success) throw new Error(`Cannot make the environment with Ray: ${command} ${args[0]} failed`);
}
