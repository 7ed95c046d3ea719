import { join } from "../src/deps/path.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { until } from "../tests/until.ts";

/** A Python that has imported the trainer's libraries and forks for each start (trainer/tests/warm). */
export interface WarmPython extends AsyncDisposable {
  /** The program that tests start in place of the interpreter. */
  readonly python: string;
}

/** Undefined where it is not Linux: it needs pidfd. Tests then start the interpreter itself, seconds slower. */
export async function startWarmPython(
  python: string,
  root: string,
  env: Readonly<Record<string, string>>,
): Promise<WarmPython | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const dir = await Deno.makeTempDir({ prefix: "temper-warm-" });
  const child = new Deno.Command(python, {
    args: ["-P", join(root, "trainer", "tests", "warm", "server.py"), dir],
    env,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  let ended = false;
  const end = child.status.then(() => ended = true);
  const launcher = join(dir, "python");
  const started = await until("the warm Python", async () => ended || await denoFs.stat(launcher), 300_000);
  if (started === true) throw new Error(`Cannot start the warm Python: ${await said}`);
  return {
    python: launcher,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await end;
      await said;
      await denoFs.remove(dir);
    },
  };
}
