import assert from "../../deps/assert.ts";
import { dirname, join } from "../../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../src/lib/clock.ts";
import { InterruptedError } from "../../../src/lib/errors.ts";
import { denoFs, type Fs } from "../../../src/lib/files/fs.ts";
import type { Env, Progress } from "../../../src/providers/provider.ts";
import { ensurePython, existingEnvironment } from "../../../src/providers/trainer/environment/environment.ts";
import { expectedBytes } from "../../../src/providers/trainer/environment/environment_size.ts";
import { findProgram } from "../../../src/lib/find_program.ts";
import { findPython } from "../../../src/providers/trainer/environment/python.ts";
import { DOUBLE } from "./project.ts";
import { until } from "../../until.ts";

const signal = new AbortController().signal;

interface Setting {
  readonly env: Env;
  readonly said: Progress[];
  ensure(trainerDir?: string, stop?: AbortSignal): Promise<string>;
}

/** An empty cache and the user's variables but those that `changes` replaces. */
async function inCache(
  changes: Record<string, string | undefined>,
  body: (setting: Setting) => Promise<void>,
  fs: Fs = denoFs,
): Promise<void> {
  const cacheDir = await Deno.makeTempDir();
  const variables = { ...Deno.env.toObject(), TEMPER_PYTHON: undefined, ...changes };
  const env: Env = { fs, clock: systemClock, cacheDir, env: variables };
  const said: Progress[] = [];
  const ensure = (trainerDir = DOUBLE, stop = signal) =>
    ensurePython({ env, trainerDir, progress: (progress) => said.push(progress), signal: stop });
  try {
    await body({ env, said, ensure });
  } finally {
    await Deno.remove(cacheDir, { recursive: true });
  }
}

/** A folder on PATH with links to what is named there. */
async function pathOf(programs: Record<string, string>): Promise<string> {
  const dir = await Deno.makeTempDir();
  for (const [name, target] of Object.entries(programs)) await Deno.symlink(target, join(dir, name));
  return dir;
}

async function importsSix(python: string): Promise<boolean> {
  const { success } = await new Deno.Command(python, { args: ["-c", "import six"] }).output();
  return success;
}

async function realPython(): Promise<string> {
  const env: Env = { fs: denoFs, clock: systemClock, cacheDir: "", env: Deno.env.toObject() };
  const { path } = await findPython(env, signal);
  const { stdout } = await new Deno.Command(path, {
    args: ["-c", "import sys; print(sys.executable)"],
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** The environment is made by uv where it is installed, and by venv and pip otherwise. */
for (const installer of ["uv", "pip"] as const) {
  const here: Env = { fs: denoFs, clock: systemClock, cacheDir: "", env: Deno.env.toObject() };
  const uv = await findProgram("uv", here);
  Deno.test({
    name: `ensurePython() makes the environment once with ${installer}`,
    ignore: installer === "uv" && uv === undefined,
    async fn() {
      const python = await realPython();
      const path = installer === "uv"
        ? `${dirname(uv!)}:${dirname(python)}:/usr/bin:/bin`
        : await pathOf({ python3: python });
      await inCache({ PATH: path, PYTHONDONTWRITEBYTECODE: "1" }, async ({ env, said, ensure }) => {
        assert.equal(await existingEnvironment({ env, trainerDir: DOUBLE, signal }), undefined);
        const made = await ensure();
        assert(await importsSix(made));
        const packages = join(dirname(dirname(made)), "lib");
        assert((await filesOf(packages)).some((name) => /six\.cpython-\d+\.pyc$/.test(name)));
        assert(said.some(({ message }) => message?.startsWith("Made the Python environment in")));
        const before = said.length;
        assert.equal(await ensure(), made);
        assert.equal(said.length, before);
        assert.equal(await existingEnvironment({ env, trainerDir: DOUBLE, signal }), made);
      });
    },
  });
}

async function filesOf(dir: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(dir)) {
    found.push(...entry.isDirectory ? await filesOf(join(dir, entry.name)) : [entry.name]);
  }
  return found;
}

Deno.test("ensurePython() makes an environment anew that a kill left half-way, or that lost its Python", async () => {
  await inCache({}, async ({ env, ensure }) => {
    const slow = new AbortController();
    const making = ensure(DOUBLE, slow.signal);
    const place = async () => (await denoFs.list(join(env.cacheDir, "python")))[0]!;
    await until("an attempt", async () =>
      (await denoFs.list(join(env.cacheDir, "python"))).length > 0 &&
      (await denoFs.list(join(env.cacheDir, "python", await place()))).some((name) =>
        /^attempt-\w+$/.test(name)
      ));
    slow.abort(new InterruptedError("stopped by the test"));
    await assert.rejects(making, { message: "stopped by the test" });
    const folder = join(env.cacheDir, "python", await place());
    // What a process that was not asked leaves: a folder that looks like an environment.
    await Deno.mkdir(join(folder, "attempt-torn", "bin"), { recursive: true });
    await Deno.writeTextFile(join(folder, "attempt-torn", "bin", "python"), "");
    const made = await ensure();
    assert(await importsSix(made));
    assert(!(await denoFs.list(folder)).includes("attempt-torn"));
    await Deno.remove(made);
    const again = await ensure();
    assert.notEqual(again, made);
    assert(await importsSix(again));
  });
});

Deno.test("ensurePython() lets two processes make one environment", async () => {
  await inCache({}, async ({ ensure }) => {
    const [one, other] = await Promise.all([ensure(), ensure()]);
    assert.equal(one, other);
  });
});

Deno.test("ensurePython() shows what the installer said when it failed", async () => {
  const trainerDir = await Deno.makeTempDir();
  const lock = (await Deno.readTextFile(join(DOUBLE, "requirements.lock"))).replaceAll(
    /sha256:..../g,
    "sha256:0000",
  );
  await Deno.writeTextFile(join(trainerDir, "requirements.lock"), lock);
  await inCache({}, async ({ env, ensure }) => {
    await assert.rejects(ensure(trainerDir), (error: Error & { code: string }) => {
      assert.equal(error.code, "environment-failed");
      assert.match(error.message, /^Cannot make the Python environment: ".*" ended with exit code 1\n/);
      assert.match(error.message, /hash/i);
      return true;
    });
    assert.equal(await existingEnvironment({ env, trainerDir, signal }), undefined);
  });
});

Deno.test("ensurePython() stops before it fills the disk", async () => {
  const full: Fs = { ...denoFs, freeBytes: () => Promise.resolve(1000) };
  await inCache({}, async ({ ensure }) => {
    await assert.rejects(ensure(), { code: "disk-full", message: /takes about 50 MB, 1 kB are free$/ });
  }, full);
});

Deno.test("ensurePython() says which Pythons it found when none is new enough", async () => {
  const old = await Deno.makeTempDir();
  const script = "#!/bin/sh\necho 3.10.2\necho linux-x86_64\n";
  await Deno.writeTextFile(join(old, "python3"), script, { mode: 0o755 });
  await inCache({ PATH: old }, async ({ ensure }) => {
    await assert.rejects(ensure(), {
      code: "python-missing",
      message: `Cannot find Python 3.11 or newer: ${join(old, "python3")} is 3.10.2`,
    });
  });
  await inCache({ PATH: await Deno.makeTempDir() }, async ({ ensure }) => {
    await assert.rejects(ensure(), { code: "python-missing", message: /none of python3\.13, .* on PATH$/ });
  });
});

Deno.test("ensurePython() takes TEMPER_PYTHON, or says what is wrong with it", async () => {
  const python = await realPython();
  await inCache({ TEMPER_PYTHON: python }, async ({ env, ensure }) => {
    assert.equal(await ensure(), python);
    assert.deepEqual(await denoFs.list(env.cacheDir), []);
  });
  for (
    const [given, found] of [
      ["python3", "it is not an absolute path"],
      ["/nowhere/python3", "there is no such file"],
      [fileURLToPath(import.meta.url), "it does not run as a Python interpreter"],
    ] as const
  ) {
    await inCache({ TEMPER_PYTHON: given }, async ({ ensure }) => {
      await assert.rejects(ensure(), { message: `Cannot use TEMPER_PYTHON="${given}": ${found}` });
    });
  }
});

Deno.test("expectedBytes() counts CUDA's libraries on Linux alone", async () => {
  const lock = await Deno.readTextFile(new URL("../../../trainer/requirements.lock", import.meta.url));
  assert(expectedBytes(lock, "linux-x86_64") > 5.5e9);
  assert(expectedBytes(lock, "macosx-14.0-arm64") < 2.5e9);
});
