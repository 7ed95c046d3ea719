import assert from "../../deps/assert.ts";
import { dirname, join } from "../../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../src/lib/clock.ts";
import { InterruptedError } from "../../../src/lib/errors.ts";
import { denoFs, type Fs } from "../../../src/lib/files/fs.ts";
import type { Env, Progress } from "../../../src/providers/provider.ts";
import { ensurePython, existingEnvironment } from "../../../src/providers/trainer/environment/environment.ts";
import { environmentEstimate } from "../../../src/providers/trainer/environment/environment_estimate.ts";
import { folderTrainer, trainerArgs } from "../../../src/providers/trainer/environment/trainer_dir.ts";
import { basesDir, sharedPlaces, withWritableCache } from "../../../src/providers/shared_dir.ts";
import { expectedBytes } from "../../../src/providers/trainer/environment/environment_size.ts";
import { findProgram } from "../../../src/lib/find_program.ts";
import { findPython } from "../../../src/providers/trainer/environment/python.ts";
import { DOUBLE } from "./project.ts";
import { until } from "../../until.ts";

const signal = new AbortController().signal;

const lockOf = (trainerDir: string) => denoFs.readText(join(trainerDir, "requirements.lock"));

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
        assert.equal(await existingEnvironment({ env, lockFile: await lockOf(DOUBLE), signal }), undefined);
        const made = await ensure();
        assert(await importsSix(made));
        const packages = join(dirname(dirname(made)), "lib");
        assert((await filesOf(packages)).some((name) => /six\.cpython-\d+\.pyc$/.test(name)));
        assert(said.some(({ message }) => message?.startsWith("Installed the Python environment in")));
        const before = said.length;
        assert.equal(await ensure(), made);
        assert.equal(said.length, before);
        assert.equal(await existingEnvironment({ env, lockFile: await lockOf(DOUBLE), signal }), made);
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
      assert.match(error.message, /^Cannot install the Python environment: ".*" ended with exit code 1\n/);
      assert.match(error.message, /hash/i);
      return true;
    });
    assert.equal(await existingEnvironment({ env, lockFile: await lockOf(trainerDir), signal }), undefined);
  });
});

Deno.test("ensurePython() stops before it fills the disk", async () => {
  const full: Fs = { ...denoFs, freeBytes: () => Promise.resolve(1000) };
  await inCache({}, async ({ ensure }) => {
    await assert.rejects(ensure(), { code: "disk-full", message: /50 MB.* 1 kB are free$/ });
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
      [fileURLToPath(import.meta.url), "it is not a working Python interpreter"],
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

/** A wheel with one module, made by Python because that is what writes zip files here. */
const WHEEL = `
import sys, zipfile
name, version, folder = sys.argv[1:]
info = f"{name}-{version}.dist-info"
files = {
    f"{name}/__init__.py": f"__version__ = {version!r}\\n",
    f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
record = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in (files | {f"{info}/RECORD": record}).items():
        wheel.writestr(path, text)
`;

/** A trainer's folder whose lock names a CUDA build that is nowhere, and an index that has the CPU build. */
async function cpuBuild(python: string) {
  const dir = await Deno.makeTempDir();
  const index = join(dir, "index", "torch");
  await Deno.mkdir(index, { recursive: true });
  const file = "torch-9.9.9+cpu-py3-none-any.whl";
  await new Deno.Command(python, { args: ["-c", WHEEL, "torch", "9.9.9+cpu", index] }).output();
  const page = `<!DOCTYPE html><a href="${encodeURIComponent(file)}">${file}</a>`;
  const hash = `--hash=sha256:${"0".repeat(64)}`;
  const lock = await denoFs.readText(join(DOUBLE, "requirements.lock"));
  const cuda = `nvidia-cublas==1.0 ; sys_platform == 'linux' \\\n    ${hash}\ntriton==1.0 \\\n    ${hash}\n`;
  const text = `# comment\n${cuda}${lock}torch==9.9.9 \\\n    ${hash} \\\n    ${hash}\n    # via peft\n`;
  await denoFs.writeAtomic(join(dir, "requirements.lock"), text);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/torch/") return new Response(page, { headers: { "content-type": "text/html" } });
    const name = decodeURIComponent(pathname.split("/").at(-1)!);
    return name === file
      ? new Response(await Deno.readFile(join(index, file)))
      : new Response("", { status: 404 });
  });
  return {
    dir,
    url: `http://127.0.0.1:${server.addr.port}/`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

for (const installer of ["uv", "pip"] as const) {
  const here: Env = { fs: denoFs, clock: systemClock, cacheDir: "", env: Deno.env.toObject() };
  const uv = await findProgram("uv", here);
  Deno.test({
    name: `ensurePython() takes PyTorch's CPU build from an index, with ${installer}`,
    ignore: installer === "uv" && uv === undefined,
    async fn() {
      const python = await realPython();
      await using build = await cpuBuild(python);
      const path = installer === "uv"
        ? `${dirname(uv!)}:${dirname(python)}:/usr/bin:/bin`
        : await pathOf({ python3: python });
      const asked = { PATH: path, TEMPER_TORCH_BACKEND: "cpu", TEMPER_TORCH_INDEX: build.url };
      await inCache(asked, async ({ env, ensure }) => {
        const made = await ensure(build.dir);
        const code =
          "import six, torch, importlib.util as u; print(torch.__version__, u.find_spec('triton'))";
        const { stdout } = await new Deno.Command(made, { args: ["-c", code] }).output();
        assert.equal(new TextDecoder().decode(stdout).trim(), "9.9.9+cpu None");
        assert.equal(await existingEnvironment({ env, lockFile: await lockOf(build.dir), signal }), made);
        // It is none for those who ask for the lock's own build.
        const lock = { ...env, env: { ...env.env, TEMPER_TORCH_BACKEND: undefined } };
        assert.equal(
          await existingEnvironment({ env: lock, lockFile: await lockOf(build.dir), signal }),
          undefined,
        );
        const trainer = folderTrainer(build.dir, denoFs);
        assert.equal(await environmentEstimate(trainer, env), undefined);
        assert.notEqual(await environmentEstimate(trainer, lock), undefined);
      });
    },
  });
}

Deno.test("ensurePython() says what the CPU build of PyTorch takes", async () => {
  const python = await realPython();
  await using build = await cpuBuild(python);
  const path = await pathOf({ python3: python });
  await inCache({ PATH: path, TEMPER_TORCH_BACKEND: "cpu" }, async ({ ensure }) => {
    await assert.rejects(ensure(build.dir), {
      code: "no-torch-index",
      exitCode: 2,
      hint: /^Install uv, or /,
    });
  });
  await inCache({ TEMPER_TORCH_BACKEND: "rocm" }, async ({ ensure }) => {
    await assert.rejects(ensure(build.dir), {
      code: "bad-torch-backend",
      message: 'Cannot use TEMPER_TORCH_BACKEND="rocm": the only value is cpu',
    });
  });
});

Deno.test("environmentEstimate() says what the first run installs, how much and where, until it is there", async () => {
  const python = await realPython();
  await inCache({ PATH: `${dirname(python)}:${Deno.env.get("PATH")}` }, async ({ env, ensure }) => {
    const sharedDir = join(env.cacheDir, "shared");
    const own = folderTrainer(fileURLToPath(new URL("../../../trainer", import.meta.url)), denoFs);
    const shared = { ...env, sharedDir };
    const { name, text, figures } = (await environmentEstimate(own, shared))!;
    assert.equal(name, "environment");
    assert.match(text, /^installs PyTorch, about \d\.\d GB, into \/.*\/shared, once$/);
    const cpu = { ...shared, env: { ...env.env, TEMPER_TORCH_BACKEND: "cpu" } };
    const small = (await environmentEstimate(own, cpu))!;
    assert.match(small.text, /^installs PyTorch without CUDA, about /);
    assert.ok(Number(small.figures["bytes"]) < Number(figures["bytes"]) || Deno.build.os !== "linux");
    const given = { ...shared, env: { ...env.env, TEMPER_PYTHON: python } };
    assert.equal(await environmentEstimate(own, given), undefined);
    const double = folderTrainer(DOUBLE, denoFs);
    assert.notEqual(await environmentEstimate(double, shared), undefined);
    // One that the project has already is used, and nothing is installed.
    const made = await ensure();
    assert.equal(await environmentEstimate(double, shared), undefined);
    assert.equal(await existingEnvironment({ env: shared, lockFile: await lockOf(DOUBLE), signal }), made);
    assert.equal(await denoFs.stat(sharedDir), undefined);
  });
});

Deno.test("an environment in a shared cache that cannot be written is used, and nothing is installed", async () => {
  await inCache({}, async ({ env, said, ensure }) => {
    const made = await ensure();
    const own = await Deno.makeTempDir();
    const readOnly: Fs = {
      ...denoFs,
      writeAtomic: (path, data) =>
        path.startsWith(env.cacheDir)
          ? Promise.reject(Object.assign(new Error("read-only"), { code: "EROFS" }))
          : denoFs.writeAtomic(path, data),
    };
    const shared = await withWritableCache(
      { ...env, fs: readOnly, cacheDir: own, sharedDir: env.cacheDir },
      () => {},
    );
    const before = said.length;
    const progress = (one: Progress) => void said.push(one);
    assert.equal(await ensurePython({ env: shared, trainerDir: DOUBLE, progress, signal }), made);
    assert.equal(said.length, before);
    assert.deepEqual(await denoFs.list(own), []);
    // What is new goes into the project's cache.
    assert.equal(sharedPlaces(shared).at(-1), own);
    assert.deepEqual((await trainerArgs("prepare", "job", shared)).slice(3), [
      "job",
      ...["--cache", own],
      ...["--read-cache", env.cacheDir],
    ]);
    await Deno.remove(own, { recursive: true });
  });
});

Deno.test("withWritableCache() has what is new go into the project's cache, and says so", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "file"), "");
  const env: Env = { fs: denoFs, clock: systemClock, cacheDir: join(dir, "own"), env: {} };
  const said: string[] = [];
  const warn = (message: string) => void said.push(message);
  const blocked = await withWritableCache({ ...env, sharedDir: join(dir, "file", "temper") }, warn);
  assert.deepEqual(sharedPlaces(blocked), [env.cacheDir]);
  const own = folderTrainer(DOUBLE, denoFs);
  const planned = await environmentEstimate(own, { ...env, sharedDir: join(dir, "file", "temper") });
  assert.match(planned?.text ?? "", /, into \/.*\/own, once$/);
  assert.match(said.join(), /^Cannot write to the shared cache ".*": .* What is new goes into ".*own"$/);
  const good = await withWritableCache({ ...env, sharedDir: join(dir, "all") }, warn);
  assert.equal(sharedPlaces(good).at(-1), join(dir, "all"));
  assert.deepEqual(await denoFs.list(join(dir, "all")), [".gitignore"]);
  assert.equal(said.length, 1);
  // A project that has bases keeps them; another one shares them.
  assert.equal(await basesDir(good), join(dir, "all"));
  await denoFs.mkdirp(join(dir, "own", "bases"));
  assert.equal(await basesDir(good), join(dir, "own"));
  await Deno.remove(dir, { recursive: true });
});
