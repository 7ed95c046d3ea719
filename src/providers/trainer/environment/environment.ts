import { join } from "../../../deps/path.ts";
import { InterruptedError, TemperError } from "../../../lib/errors.ts";
import { bytes, duration } from "../../../lib/text/format.ts";
import { type FileLock, sha256 } from "../../../lib/files/fs.ts";
import { tailOf } from "../../../lib/files/last_lines.ts";
import { runProcess } from "../../../lib/process.ts";
import type { Env, Progress } from "../../provider.ts";
import { installerEnv } from "./child_env.ts";
import { expectedBytes } from "./environment_size.ts";
import { findProgram } from "../../../lib/find_program.ts";
import { findPython, givenPython, type Python } from "./python.ts";

export interface EnvironmentOptions {
  readonly env: Env;
  /** Holds requirements.lock. */
  readonly trainerDir: string;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** One environment: the folder `<cache>/python/<digest>` with the attempts to make it and a note of the good one. */
interface Place {
  readonly folder: string;
  readonly note: string;
  readonly lock: string;
}

const PHASE = "python environment";

/**
 * Path of a Python that has what the trainer imports. TEMPER_PYTHON names one; otherwise it is made once from
 * requirements.lock. An environment cannot be moved after it was made, so each attempt has a folder of its own and
 * counts from the moment that a note names it: a killed attempt is never taken for a finished one.
 */
export async function ensurePython(options: EnvironmentOptions): Promise<string> {
  const { env, signal } = options;
  const given = env.env["TEMPER_PYTHON"];
  if (given) return (await givenPython(given, env, signal)).path;
  const python = await findPython(env, signal);
  const lockFile = await env.fs.readText(join(options.trainerDir, "requirements.lock"));
  const place = placeOf(env, python, lockFile);
  const ready = await readyPython(place, env);
  if (ready) return ready;
  await env.fs.mkdirp(place.folder);
  const lock = await waitForLock(place, options);
  try {
    return await readyPython(place, env) ?? await make(place, python, lockFile, options);
  } finally {
    lock.release();
  }
}

/** Path of the environment's Python when it has been made already. Starts nothing but `findPython`'s questions. */
export async function existingEnvironment(
  options: Pick<EnvironmentOptions, "env" | "trainerDir" | "signal">,
): Promise<string | undefined> {
  const { env, signal } = options;
  const lockFile = await env.fs.readText(join(options.trainerDir, "requirements.lock"));
  return await readyPython(placeOf(env, await findPython(env, signal), lockFile), env);
}

function placeOf(env: Env, python: Python, lockFile: string): Place {
  const digest = sha256(`${lockFile}\n${python.version}\n${python.platform}\n`).slice(0, 16);
  const folder = join(env.cacheDir, "python", digest);
  return { folder, note: join(folder, "current"), lock: join(folder, "lock") };
}

async function readyPython(place: Place, env: Env): Promise<string | undefined> {
  if (!await env.fs.stat(place.note)) return undefined;
  const path = join(place.folder, (await env.fs.readText(place.note)).trim(), "bin", "python");
  // The link leads nowhere when the Python it was made from has gone.
  return (await env.fs.stat(path))?.isFile ? path : undefined;
}

async function waitForLock(place: Place, { env, progress, signal }: EnvironmentOptions): Promise<FileLock> {
  for (let told = false;; told = true) {
    const lock = await env.fs.lock(place.lock, 1000);
    if (lock) return lock;
    if (!told) progress({ phase: PHASE, message: "Another process makes the Python environment: waiting" });
    await env.clock.sleep(1000, signal);
  }
}

async function make(place: Place, python: Python, lockFile: string, options: EnvironmentOptions) {
  const { env, progress } = options;
  const started = env.clock.monotonic();
  await removeAttempts(place, env);
  await refuseFullDisk(place, python, lockFile, env);
  const name = `attempt-${env.clock.randomHex(4)}`;
  const dir = join(place.folder, name);
  const log = `${dir}.log`;
  const counting = countPackages(dir, python, options);
  try {
    await install(dir, log, python, options);
  } finally {
    await counting.stop();
  }
  const made = join(dir, "bin", "python");
  await env.fs.writeAtomic(place.note, name + "\n");
  const took = duration(env.clock.monotonic() - started);
  progress({ phase: PHASE, message: `Made the Python environment in ${took}` });
  return made;
}

async function removeAttempts(place: Place, env: Env): Promise<void> {
  for (const name of await env.fs.list(place.folder)) {
    if (name.startsWith("attempt-")) await env.fs.remove(join(place.folder, name));
  }
}

async function refuseFullDisk(place: Place, python: Python, lockFile: string, env: Env): Promise<void> {
  const needed = expectedBytes(lockFile, python.platform);
  const free = await env.fs.freeBytes(place.folder);
  if (free >= needed) return;
  throw new TemperError(
    "disk-full",
    `Cannot make the Python environment in "${place.folder}": it takes about ${bytes(needed)}, ${
      bytes(free)
    } are free`,
    { hint: "Free some space, choose another --cache, or name an existing Python in TEMPER_PYTHON" },
  );
}

async function install(dir: string, log: string, python: Python, options: EnvironmentOptions): Promise<void> {
  const lock = join(options.trainerDir, "requirements.lock");
  const made = join(dir, "bin", "python");
  // The lock is complete. Without --no-deps, packages it leaves out on purpose would come back.
  const strict = ["--no-deps", "--require-hashes"];
  const uv = await findProgram("uv", options.env);
  const commands = uv
    ? [
      [uv, "venv", "--python", python.path, dir],
      [uv, "pip", "install", "--python", made, ...strict, "--compile-bytecode", "-r", lock],
    ]
    : [
      [python.path, "-m", "venv", dir],
      [made, "-m", "pip", "install", "--no-input", ...strict, "--compile", "-r", lock],
    ];
  for (const [command, ...args] of commands) await runInstaller(command!, args, log, options);
}

async function runInstaller(command: string, args: string[], log: string, options: EnvironmentOptions) {
  const { env, signal } = options;
  const end = await runProcess({ command, args, env: installerEnv(env.env), log, signal });
  if (end.code === 0) return;
  const how = end.signal ? `was stopped by ${end.signal}` : `ended with exit code ${end.code}`;
  // Ctrl-C in a terminal reaches a whole group of processes; it is not the installer's failure.
  if (end.signal === "SIGINT") throw new InterruptedError(`Cannot make the Python environment: it ${how}`);
  throw new TemperError(
    "environment-failed",
    `Cannot make the Python environment: "${[command, ...args.slice(0, 3)].join(" ")}" ${how}${await tailOf(
      log,
      env.fs,
    )}`,
    { hint: `The whole output is in "${log}"` },
  );
}

/** Reports how many packages are there, until told to stop. */
function countPackages(dir: string, python: Python, { env, progress }: EnvironmentOptions) {
  const stop = new AbortController();
  const [major, minor] = python.version.split(".");
  const packages = join(dir, "lib", `python${major}.${minor}`, "site-packages");
  const count = async () => {
    const first = "Making the Python environment: this happens once and downloads its packages";
    for (let message: { message?: string } = { message: first }; !stop.signal.aborted; message = {}) {
      const done = (await env.fs.list(packages)).filter((name) => name.endsWith(".dist-info")).length;
      progress({ phase: PHASE, done, unit: "packages", ...message });
      await env.clock.sleep(2000, stop.signal).catch(() => {});
    }
  };
  const counting = count();
  return {
    stop: () => {
      stop.abort();
      return counting;
    },
  };
}
