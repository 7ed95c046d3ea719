import { join } from "../../../deps/path.ts";
import { InterruptedError, TemperError } from "../../../lib/errors.ts";
import { bytes, duration } from "../../../lib/text/format.ts";
import { makeOwnDir } from "../../../lib/files/folder.ts";
import { type FileLock, sha256 } from "../../../lib/files/fs.ts";
import { tailOf } from "../../../lib/files/last_lines.ts";
import { runProcess } from "../../../lib/process.ts";
import type { Env, Progress } from "../../provider.ts";
import { installerEnv } from "./child_env.ts";
import { expectedBytes } from "./environment_size.ts";
import { findProgram } from "../../../lib/find_program.ts";
import { sharedPlaces } from "../../shared_dir.ts";
import { findPython, givenPython, type Python } from "./python.ts";
import { LOCK_FILE } from "./trainer_dir.ts";
import { type TorchBackend, torchBackend, torchSource, withoutTorch } from "./torch_backend.ts";

export interface EnvironmentOptions {
  readonly env: Env;
  /** Holds requirements.lock. */
  readonly trainerDir: string;
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

interface RecipeOptions extends Pick<EnvironmentOptions, "env" | "signal"> {
  /** Text of requirements.lock. */
  readonly lockFile: string;
}

/** What an environment is made from. */
interface Recipe {
  readonly python: Python;
  readonly lockFile: string;
  readonly backend: TorchBackend;
}

/** One environment: the folder `<cache>/python/<digest>` with the attempts to make it and a note of the good one. */
interface Place {
  readonly folder: string;
  readonly note: string;
  readonly lock: string;
}

/** Folder of the environments in a cache. */
const FOLDER = "python";
const NOTE = "current";
/** Beside the note, for those who may start no Python to find the digest: what the environment was made from. */
const MADE_FROM = "made_from";

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
  const lockFile = await env.fs.readText(join(options.trainerDir, LOCK_FILE));
  const recipe = await recipeOf({ env, lockFile, signal });
  const places = placesOf(env, recipe);
  const ready = await readyPython(places, env);
  if (ready) return ready;
  const place = places.at(-1)!;
  await makeOwnDir(join(place.folder, "..", ".."), env.fs);
  await env.fs.mkdirp(place.folder);
  const lock = await waitForLock(place, options);
  try {
    return await readyPython([place], env) ?? await make(place, recipe, options);
  } finally {
    lock.release();
  }
}

/** Path of the environment's Python when it has been made already. Starts nothing but `findPython`'s questions. */
export async function existingEnvironment(options: RecipeOptions): Promise<string | undefined> {
  return await readyPython(placesOf(options.env, await recipeOf(options)), options.env);
}

/**
 * Whether an environment of this lock file is there, as far as its folder shows: for those who may start nothing. One
 * that was made for another Python counts; those of earlier versions do not say what they were made from and count.
 */
export async function seemsMade(lockFile: string, backend: TorchBackend, env: Env): Promise<boolean> {
  for (const cache of sharedPlaces(env)) {
    for (const name of await env.fs.list(join(cache, FOLDER))) {
      const folder = join(cache, FOLDER, name);
      if (!await env.fs.stat(join(folder, NOTE))) continue;
      const path = join(folder, MADE_FROM);
      if (!await env.fs.stat(path)) return true;
      if ((await env.fs.readText(path)).trim() === madeFrom(lockFile, backend)) return true;
    }
  }
  return false;
}

function madeFrom(lockFile: string, backend: TorchBackend): string {
  return `${sha256(lockFile)} ${backend}`;
}

async function recipeOf({ env, lockFile, signal }: RecipeOptions): Promise<Recipe> {
  const backend = torchBackend(env.env);
  const python = await findPython(env, signal);
  return { python, lockFile, backend };
}

/** Where the environment may be; it is made in the last place. */
function placesOf(env: Env, { python, lockFile, backend }: Recipe): Place[] {
  const build = backend === "lock" ? "" : `${backend}\n`;
  const digest = sha256(`${lockFile}\n${python.version}\n${python.platform}\n${build}`).slice(0, 16);
  return sharedPlaces(env).map((cache) => {
    const folder = join(cache, FOLDER, digest);
    return { folder, note: join(folder, NOTE), lock: join(folder, "lock") };
  });
}

async function readyPython(places: readonly Place[], env: Env): Promise<string | undefined> {
  for (const place of places) {
    if (!await env.fs.stat(place.note)) continue;
    const path = join(place.folder, (await env.fs.readText(place.note)).trim(), "bin", "python");
    // The link leads nowhere when the Python it was made from has gone.
    if ((await env.fs.stat(path))?.isFile) return path;
  }
  return undefined;
}

async function waitForLock(place: Place, { env, progress, signal }: EnvironmentOptions): Promise<FileLock> {
  for (let told = false;; told = true) {
    const lock = await env.fs.lock(place.lock, 1000);
    if (lock) return lock;
    if (!told) {
      progress({ phase: "wait", message: "Another process is installing the Python environment: waiting" });
    }
    await env.clock.sleep(1000, signal);
  }
}

async function make(place: Place, recipe: Recipe, options: EnvironmentOptions) {
  const { env, progress } = options;
  const { python, lockFile, backend } = recipe;
  const started = env.clock.monotonic();
  await removeAttempts(place, env);
  await refuseFullDisk(place, recipe, env);
  const name = `attempt-${env.clock.randomHex(4)}`;
  const dir = join(place.folder, name);
  const log = `${dir}.log`;
  const counting = countPackages(dir, python, options);
  try {
    await install(dir, log, recipe, options);
  } finally {
    await counting.stop();
  }
  const made = join(dir, "bin", "python");
  await env.fs.writeAtomic(join(place.folder, MADE_FROM), `${madeFrom(lockFile, backend)}\n`);
  await env.fs.writeAtomic(place.note, name + "\n");
  const took = duration(env.clock.monotonic() - started);
  progress({ phase: PHASE, message: `Installed the Python environment in ${took}` });
  return made;
}

async function removeAttempts(place: Place, env: Env): Promise<void> {
  for (const name of await env.fs.list(place.folder)) {
    if (name.startsWith("attempt-")) await env.fs.remove(join(place.folder, name));
  }
}

async function refuseFullDisk(place: Place, recipe: Recipe, env: Env): Promise<void> {
  const needed = expectedBytes(recipe.lockFile, recipe.python.platform, recipe.backend);
  const free = await env.fs.freeBytes(place.folder);
  if (free >= needed) return;
  throw new TemperError(
    "disk-full",
    `Cannot install the Python environment in "${place.folder}": it needs about ${bytes(needed)}, but only ${
      bytes(free)
    } are free`,
    { hint: "Free some space, set TEMPER_CACHE to another folder, or TEMPER_PYTHON to an existing Python" },
  );
}

async function install(dir: string, log: string, recipe: Recipe, options: EnvironmentOptions): Promise<void> {
  const { path } = recipe.python;
  const made = join(dir, "bin", "python");
  const uv = await findProgram("uv", options.env);
  const pip = uv
    ? [uv, "pip", "install", "--python", made, "--compile-bytecode"]
    : [made, "-m", "pip", "install", "--no-input", "--compile"];
  const commands = [
    uv ? [uv, "venv", "--python", path, dir] : [path, "-m", "venv", dir],
    ...await packages(dir, uv !== undefined, recipe, options),
  ];
  for (const [i, words] of commands.entries()) {
    const [command, ...args] = i === 0 ? words : [...pip, ...words];
    await runInstaller(command!, args, log, options);
  }
}

/** What is installed, as the arguments of one call of the installer each. */
async function packages(
  dir: string,
  uv: boolean,
  { lockFile, backend }: Recipe,
  { env, trainerDir }: EnvironmentOptions,
): Promise<string[][]> {
  // The lock is complete. Without --no-deps, packages it leaves out on purpose would come back.
  const locked = (path: string) => ["--no-deps", "--require-hashes", "-r", path];
  if (backend === "lock") return [locked(join(trainerDir, LOCK_FILE))];
  const { rest, torch } = withoutTorch(lockFile);
  const path = `${dir}.requirements.txt`;
  await env.fs.writeAtomic(path, rest);
  return [locked(path), ["--no-deps", ...torchSource(env.env, uv), `torch==${torch}`]];
}

async function runInstaller(command: string, args: string[], log: string, options: EnvironmentOptions) {
  const { env, signal } = options;
  const end = await runProcess({ command, args, env: installerEnv(env.env), log, signal });
  if (end.code === 0) return;
  const how = end.signal ? `was killed by ${end.signal}` : `ended with exit code ${end.code}`;
  // Ctrl-C in a terminal reaches a whole group of processes; it is not the installer's failure.
  if (end.signal === "SIGINT") throw new InterruptedError(`Cannot install the Python environment: it ${how}`);
  throw new TemperError(
    "environment-failed",
    `Cannot install the Python environment: "${
      [command, ...args.slice(0, 3)].join(" ")
    }" ${how}${await tailOf(
      log,
      env.fs,
    )}`,
    { hint: `The full output is in "${log}"` },
  );
}

/** Reports how many packages are there, until told to stop. */
function countPackages(dir: string, python: Python, { env, progress }: EnvironmentOptions) {
  const stop = new AbortController();
  const [major, minor] = python.version.split(".");
  const packages = join(dir, "lib", `python${major}.${minor}`, "site-packages");
  const count = async () => {
    const first = "Installing the Python environment: this happens once and downloads its packages";
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
